#include "play_tester.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace nes {
namespace {

constexpr int kRoundSize = 32;

}  // namespace

PlayTester::PlayTester(const MakeGame& make_game, int skip, int noops, int num_threads)
    : skip_(skip), noops_(noops), threads_(std::max(num_threads, 1)) {
  if (skip < 1 || noops < 0 || num_threads < 1) {
    throw std::invalid_argument(
        "a play tester needs skip and num_threads of at least 1, and noops of at least 0");
  }
  for (int i = 0; i < kRoundSize; ++i) games_.push_back(make_game());
}

Outcome PlayTester::record(const Masks& masks) {
  states_.clear();
  games_[0]->reset(noops_);
  return play(*games_[0], 0, masks, &states_);
}

std::vector<Outcome> PlayTester::test(const std::vector<Variant>& variants) {
  const auto count = static_cast<int>(variants.size());
  for (const Variant& variant : variants) {
    if (variant.start >= 0 && variant.start < static_cast<int>(states_.size())) continue;
    throw std::invalid_argument("start must be in 0 to " + std::to_string(states_.size()) +
                                " - 1, got " + std::to_string(variant.start));
  }
  std::vector<Outcome> outcomes(count);
  for (int first = 0; first < count; first += kRoundSize) {
    const auto test_one = [&](int i) {
      const Variant& variant = variants[first + i];
      games_[i]->load_state(states_[variant.start]);
      outcomes[first + i] = play(*games_[i], variant.start, variant.masks, nullptr);
    };
    threads_.start(std::min(kRoundSize, count - first), test_one, true);
    threads_.wait();
  }
  return outcomes;
}

Outcome PlayTester::play(NesGame& game, int start, const Masks& masks,
                         std::vector<GameState>* states) const {
  int steps = start;
  for (const std::uint8_t buttons : masks) {
    if (states != nullptr) states->push_back(game.save_state());
    const NesGame::StepResult result = game.repeat_step(buttons, skip_);
    ++steps;
    if (result.terminated) return {steps, game.ending(), !game.failed()};
    if (result.truncated) return {steps, game.ending(), false};
  }
  return {steps, kRunning, false};
}

}  // namespace nes
