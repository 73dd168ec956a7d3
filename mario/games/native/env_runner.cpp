#include "env_runner.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "random.h"

namespace nes {

namespace {

// Returns the same numbers as the function in wrappers/sticky_actions.py.
double counter_based_uniform(std::uint64_t seed, std::uint64_t index) {
  const std::uint64_t mixed = mix(seed + (index + 1) * Random::kIncrement);
  return static_cast<double>(mixed >> 11) * 0x1p-53;
}

}  // namespace

EnvRunner::EnvRunner(std::unique_ptr<NesGame> game, const WrapperConfig& config,
                     const std::vector<std::uint8_t>& button_masks,
                     const DemonstrationStates& demonstrations)
    : game_(std::move(game)),
      config_(config),
      button_masks_(button_masks),
      demonstrations_(demonstrations),
      images_(config.stack * config.image_bytes()) {}

void EnvRunner::reset(ResetOptions options, const Actions& actions, bool on_farthest) {
  replay(options, actions);
  episode_return_ = 0;
  is_cut_ = false;
  const auto length = static_cast<std::int64_t>(actions.size());
  start_offset_ = on_farthest ? -length : length;
  oldest_ = 0;
  draw(image(0), -1);
  for (int i = 1; i < config_.stack; ++i) {
    std::memcpy(image(i), image(0), config_.image_bytes());
  }
}

void EnvRunner::start_next_episode(ResetOptions options, std::int64_t steps_before_loss) {
  if (steps_before_loss == 0 || !game_->failed()) return reset(options);
  const bool on_farthest = steps_before_loss < 0;
  const Trajectory& base = on_farthest && farthest_ ? *farthest_ : trajectory_;
  const auto length =
      static_cast<std::int64_t>(base.actions.size()) - std::abs(steps_before_loss);
  if (length <= 0) return reset(options);
  const auto first = base.actions.begin();
  reset(base.reset, Actions(first, first + length), on_farthest);
}

void EnvRunner::restore_farthest(const std::optional<Trajectory>& farthest) {
  farthest_.reset();
  if (farthest) replay(farthest->reset, farthest->actions);  // the last step records it
}

RunnerState EnvRunner::save_state() {
  return {game_->save_state(), images_, oldest_, episode_return_,
          trajectory_.reset,   frames_, buttons_};
}

void EnvRunner::load_state(const RunnerState& state) {
  if (state.images.size() != images_.size()) {
    throw std::invalid_argument(
        "the state belongs to other wrappers; give a state of this environment");
  }
  game_->load_state(state.game);
  images_ = state.images;
  oldest_ = state.oldest;
  episode_return_ = state.episode_return;
  trajectory_ = {state.reset, {}, 0};
  frames_ = state.frames;
  buttons_ = state.buttons;
}

NesGame::StepResult EnvRunner::step(std::int64_t action) {
  NesGame::StepResult result = execute(action, true);
  is_cut_ = !(result.terminated || result.truncated) && config_.demonstration_max_steps > 0 &&
            trajectory_.reset.start.demonstration >= 0 &&
            length() >= config_.demonstration_max_steps;
  result.truncated |= is_cut_;
  episode_return_ += result.reward;
  draw(image(oldest_), action);
  oldest_ = (oldest_ + 1) % config_.stack;
  return result;
}

void EnvRunner::replay(ResetOptions options, const Actions& actions) {
  const auto [demonstration, position] = options.start;
  if (demonstration < 0) {
    game_->reset(static_cast<int>(options.noops));
  } else {
    game_->load_state(demonstrations_[demonstration][position]);
  }
  trajectory_ = {options, {}, 0};
  frames_ = 0;
  for (const std::int64_t action : actions) execute(action, false);
  farthest_update_ = kUnchanged;
}

void EnvRunner::update_farthest(const NesGame::StepResult& result) {
  farthest_update_ = kUnchanged;
  if (!config_.track_farthest) return;
  if (game_->failed()) {
    if (farthest_ && trajectory_.total_reward <= farthest_->total_reward) return;
    farthest_ = trajectory_;
    farthest_update_ = kReplaced;
  } else if (result.terminated) {
    farthest_.reset();
    farthest_update_ = kCleared;
  }
}

NesGame::StepResult EnvRunner::execute(std::int64_t action, bool render) {
  NesGame::StepResult total;
  for (int i = 1; i <= config_.skip && !(total.terminated || total.truncated); ++i) {
    if (frames_ == 0 || counter_based_uniform(trajectory_.reset.seed, frames_) >=
                            config_.repeat_action_probability) {
      buttons_ = button_masks_[action];
    }
    ++frames_;
    const NesGame::StepResult result = game_->step(buttons_, render && i == config_.skip);
    total = {total.reward + result.reward, result.terminated, result.truncated};
  }
  trajectory_.actions.push_back(action);
  trajectory_.total_reward += total.reward;
  update_farthest(total);
  return total;
}

void EnvRunner::write_observation(std::uint8_t* out) const {
  const std::size_t newer = oldest_ * config_.image_bytes(), all = images_.size();
  std::memcpy(out, images_.data() + newer, all - newer);
  std::memcpy(out + all - newer, images_.data(), newer);
}

void EnvRunner::draw(std::uint8_t* image, std::int64_t action) {
  config_.preprocess(game_->screen(), image);
  const int side = config_.action_marker_size;
  const int width = side * static_cast<int>(button_masks_.size());
  for (int row = 0; row < side; ++row) {
    std::uint8_t* line = image + row * config_.preprocess.size();
    std::memset(line, 0, width);
    if (action >= 0) std::memset(line + action * side, 255, side);
  }
}

std::uint8_t* EnvRunner::image(int index) {
  return images_.data() + index * config_.image_bytes();
}

}  // namespace nes
