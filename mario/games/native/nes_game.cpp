#include "nes_game.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace nes {

NesGame::NesGame(const std::vector<std::uint8_t>& rom, std::optional<int> stall_frames)
    : console_(rom), stall_frames_(stall_frames) {}

std::shared_ptr<const Snapshot> NesGame::start_up() {
  start_game();
  Snapshot beginning;
  console_.save(beginning);
  beginning_ = std::make_shared<const Snapshot>(std::move(beginning));
  return beginning_;
}

void NesGame::reset(int noops) {
  start_episode();
  for (int i = 0; i < noops; ++i) {
    const StepResult result = step(0, false);
    if (result.terminated || result.truncated) start_episode();
  }
}

void NesGame::save_state(GameState& state) {
  console_.save(state.console);
  state.info = info_;
  state.ending = ending_;
  state.best_progress = best_progress_;
  state.idle_frames = idle_frames_;
  state.stuck = stuck_;
  const Memory fields = episode_fields();
  state.episode_fields.assign(fields.data, fields.data + fields.size);
}

GameState NesGame::save_state() {
  GameState state;
  save_state(state);
  return state;
}

void NesGame::load_state(const GameState& state) {
  const Memory fields = episode_fields();
  if (state.episode_fields.size() != fields.size || !console_.load(state.console)) {
    throw std::invalid_argument("the state belongs to another game; give a state of this game");
  }
  info_ = state.info;
  ending_ = state.ending;
  best_progress_ = state.best_progress;
  idle_frames_ = state.idle_frames;
  stuck_ = state.stuck;
  std::copy(state.episode_fields.begin(), state.episode_fields.end(), fields.data);
}

NesGame::StepResult NesGame::step(std::uint8_t buttons, bool render) {
  console_.advance(buttons, render);
  StepResult result{reward()};
  ending_ = read_ending();
  info_ = read_info();
  result.terminated = ending_ != kRunning;
  result.truncated = !result.terminated && (stuck_ || is_stalled());
  if (result.truncated) ending_ = kTruncated;
  if (ending_ == kRunning) skip_cutscenes();
  return result;
}

NesGame::StepResult NesGame::repeat_step(std::uint8_t buttons, int frames) {
  StepResult total;
  for (int i = 0; i < frames && !(total.terminated || total.truncated); ++i) {
    const StepResult result = step(buttons, false);
    total = {total.reward + result.reward, result.terminated, result.truncated};
  }
  return total;
}

void NesGame::start_episode() {
  console_.load(*beginning_);
  stuck_ = false;
  ending_ = kRunning;
  best_progress_ = std::numeric_limits<std::int64_t>::min();
  idle_frames_ = 0;
  on_episode_start();
  info_ = read_info();
}

bool NesGame::is_stalled() {
  if (!stall_frames_) return false;
  ++idle_frames_;
  if (const std::int64_t current = progress(); current > best_progress_) {
    best_progress_ = current;
    idle_frames_ = 0;
  }
  return idle_frames_ >= *stall_frames_;
}

}  // namespace nes
