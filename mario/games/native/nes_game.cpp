#include "nes_game.h"

#include <limits>

namespace nes {

NesGame::NesGame(const std::vector<std::uint8_t>& rom, int stall_frames)
    : console_(rom), stall_frames_(stall_frames) {}

std::shared_ptr<const Snapshot> NesGame::start_up() {
  start();
  opening_ = std::make_shared<const Snapshot>(console_.snapshot());
  return opening_;
}

void NesGame::reset(int noops) {
  begin();
  for (int i = 0; i < noops; ++i) {
    const Frame passed = frame(0, false);
    if (passed.terminated || passed.truncated) begin();
  }
}

NesGame::Frame NesGame::frame(std::uint8_t buttons, bool observed) {
  console_.advance(buttons, observed);
  Frame frame{reward(), false, false};
  why_ended_ = ending();
  info_ = read_info();
  frame.terminated = why_ended_ != kGoesOn;
  frame.truncated = !frame.terminated && (stuck_ || stalled());
  if (frame.truncated) why_ended_ = kTruncated;
  if (why_ended_ == kGoesOn) cut_scenes();
  return frame;
}

void NesGame::begin() {
  console_.restore(*opening_);
  stuck_ = false;
  why_ended_ = kGoesOn;
  furthest_ = std::numeric_limits<std::int64_t>::min();
  idle_frames_ = 0;
  began();
  info_ = read_info();
}

bool NesGame::stalled() {
  if (stall_frames_ < 0) return false;
  ++idle_frames_;
  if (const std::int64_t now = progress(); now > furthest_) {
    furthest_ = now;
    idle_frames_ = 0;
  }
  return idle_frames_ >= stall_frames_;
}

}  // namespace nes
