#include "explorer.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace nes {
namespace {

constexpr int kRoundSize = 32;
constexpr int kLengths[] = {12, 25, 50};  // steps of an exploration
constexpr std::uint32_t kMaxHold = 9;     // steps for which an action is held

ExplorerConfig checked(ExplorerConfig config, int num_threads) {
  if (config.button_masks.empty() || config.skip < 1 || config.noops < 0 ||
      config.max_length < 0 || num_threads < 1) {
    throw std::invalid_argument(
        "an explorer needs button_masks, skip and num_threads of at least 1, and noops and "
        "max_length of at least 0");
  }
  return config;
}

}  // namespace

Explorer::Explorer(const MakeGame& make_game, ExplorerConfig config, int num_threads)
    : config_(checked(std::move(config), num_threads)),
      archive_(mix(config_.seed)),
      random_(mix(config_.seed + 1)),
      explorations_(kRoundSize),
      threads_(num_threads) {
  for (int i = 0; i < kRoundSize; ++i) games_.push_back(make_game());
  NesGame& game = *games_[0];
  game.reset(config_.noops);
  std::vector<Discovery> start;
  start.push_back({game.cell(), game.progress(), 0, game.save_state()});
  archive_.add({}, {}, std::move(start));
}

void Explorer::run(std::int64_t steps) {
  const std::int64_t end = steps_ + steps;
  while (steps_ < end && !solution_) {
    for (Exploration& exploration : explorations_) {
      exploration.cell = archive_.choose();
      exploration.way = archive_.cell(exploration.cell).way;
      exploration.seed = random_.next();
    }
    threads_.start(
        kRoundSize, [this](int i) { explore(*games_[i], explorations_[i]); }, true);
    threads_.wait();
    for (Exploration& exploration : explorations_) add(exploration);
    update_best_cell();
  }
}

void Explorer::explore(NesGame& game, Exploration& exploration) const {
  Random random(exploration.seed);
  exploration.masks.clear();
  exploration.discoveries.clear();
  exploration.goal_steps = 0;
  game.load_state(archive_.cell(exploration.cell).state);
  const auto num_actions = static_cast<std::uint32_t>(config_.button_masks.size());
  int length = kLengths[random.below(std::size(kLengths))];
  if (config_.max_length) length = std::min(length, config_.max_length - exploration.way.length);
  std::uint32_t held = 0;
  std::uint8_t buttons = 0;
  for (int step = 1; step <= length; ++step) {
    if (held-- == 0) {
      buttons = config_.button_masks[random.below(num_actions)];
      held = random.below(kMaxHold);
    }
    exploration.masks.push_back(buttons);
    const NesGame::StepResult result = game.repeat_step(buttons, config_.skip);
    if (result.terminated && !game.failed()) exploration.goal_steps = step;
    if (result.terminated || result.truncated) return;
    record_cell(game, exploration);
  }
}

void Explorer::record_cell(NesGame& game, Exploration& exploration) const {
  const int steps = static_cast<int>(exploration.masks.size());
  const std::int64_t key = game.cell();
  const auto is_same = [key](const Discovery& known) { return known.key == key; };
  auto& found = exploration.discoveries;
  if (std::any_of(found.begin(), found.end(), is_same)) return;
  if (!archive_.improves(key, exploration.way.length + steps)) return;
  found.push_back({key, game.progress(), steps, game.save_state()});
}

void Explorer::add(Exploration& exploration) {
  steps_ += static_cast<std::int64_t>(exploration.masks.size());
  if (exploration.goal_steps > 0) {
    Masks masks = archive_.masks_of(exploration.way);
    masks.insert(masks.end(), exploration.masks.begin(), exploration.masks.end());
    if (!solution_ || masks.size() < solution_->size()) solution_ = std::move(masks);
  }
  archive_.add(exploration.way, exploration.masks, std::move(exploration.discoveries));
}

void Explorer::update_best_cell() {
  best_cell_ = 0;
  for (int i = 0; i < static_cast<int>(archive_.size()); ++i) {
    const Cell &cell = archive_.cell(i), &best = archive_.cell(best_cell_);
    const bool is_better = cell.progress != best.progress ? cell.progress > best.progress
                                                          : cell.way.length < best.way.length;
    if (is_better) best_cell_ = i;
  }
}

}  // namespace nes
