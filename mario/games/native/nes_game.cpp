#include "nes_game.h"

#include <limits>

namespace nes {

NesGame::NesGame(const std::vector<std::uint8_t>& rom, std::optional<int> stall_frames)
    : console_(rom), stall_frames_(stall_frames) {}

std::shared_ptr<const Snapshot> NesGame::start_up() {
  start();
  beginning_ = std::make_shared<const Snapshot>(console_.snapshot());
  return beginning_;
}

void NesGame::reset(int noops) {
  begin_episode();
  for (int i = 0; i < noops; ++i) {
    const StepResult result = step(0, false);
    if (result.terminated || result.truncated) begin_episode();
  }
}

NesGame::StepResult NesGame::step(std::uint8_t buttons, bool render) {
  console_.advance(buttons, render);
  StepResult result{reward()};
  ending_ = read_ending();
  info_ = read_info();
  result.terminated = ending_ != kRunning;
  result.truncated = !result.terminated && (stuck_ || stalled());
  if (result.truncated) ending_ = kTruncated;
  if (ending_ == kRunning) skip_cutscenes();
  return result;
}

void NesGame::begin_episode() {
  console_.restore(*beginning_);
  stuck_ = false;
  ending_ = kRunning;
  max_progress_ = std::numeric_limits<std::int64_t>::min();
  idle_frames_ = 0;
  on_reset();
  info_ = read_info();
}

bool NesGame::stalled() {
  if (!stall_frames_) return false;
  ++idle_frames_;
  if (const std::int64_t current = progress(); current > max_progress_) {
    max_progress_ = current;
    idle_frames_ = 0;
  }
  return idle_frames_ >= *stall_frames_;
}

}  // namespace nes
