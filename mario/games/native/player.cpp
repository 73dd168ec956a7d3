#include "player.h"

#include <cstring>
#include <utility>

namespace nes {

namespace {

// The function `chance` of wrappers/sticky.py, number for number.
double chance(std::uint64_t seed, std::uint64_t number) {
  std::uint64_t mixed = seed + (number + 1) * 0x9E3779B97F4A7C15U;
  mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9U;
  mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EBU;
  return static_cast<double>((mixed ^ mixed >> 31) >> 11) * 0x1p-53;
}

}  // namespace

Player::Player(std::unique_ptr<NesGame> game, const View& view,
               const std::vector<std::uint8_t>& masks)
    : game_(std::move(game)),
      view_(view),
      masks_(masks),
      pictures_(view.stack * view.picture_bytes()) {}

void Player::reset(Start start, Actions revisited) {
  game_->reset(static_cast<int>(start.noops));
  start_ = start;
  frames_ = 0;
  for (const std::int64_t action : revisited) hold(action, false);
  earned_ = 0;
  revisited_ = static_cast<std::int64_t>(revisited.size());
  actions_ = std::move(revisited);
  oldest_ = 0;
  draw(picture(0), -1);
  for (int i = 1; i < view_.stack; ++i) {
    std::memcpy(picture(i), picture(0), view_.picture_bytes());
  }
}

void Player::reset_after_end(Start start, std::int64_t back) {
  const std::int64_t length = static_cast<std::int64_t>(actions_.size()) - back;
  if (back == 0 || length <= 0 || !game_->lost()) return reset(start);
  reset(start_, {actions_.begin(), actions_.begin() + length});
}

NesGame::Frame Player::step(std::int64_t action) {
  actions_.push_back(action);
  const NesGame::Frame step = hold(action, true);
  earned_ += step.reward;
  draw(picture(oldest_), action);
  oldest_ = (oldest_ + 1) % view_.stack;
  return step;
}

NesGame::Frame Player::hold(std::int64_t action, bool observed) {
  NesGame::Frame step{0, false, false};
  for (int i = 1; i <= view_.skip && !(step.terminated || step.truncated); ++i) {
    if (frames_ == 0 || chance(start_.seed, frames_) >= view_.sticky) pressed_ = masks_[action];
    ++frames_;
    const NesGame::Frame frame = game_->frame(pressed_, observed && i == view_.skip);
    step = {step.reward + frame.reward, frame.terminated, frame.truncated};
  }
  return step;
}

void Player::observe(std::uint8_t* out) const {
  const std::size_t newer = oldest_ * view_.picture_bytes(), all = pictures_.size();
  std::memcpy(out, pictures_.data() + newer, all - newer);
  std::memcpy(out + all - newer, pictures_.data(), newer);
}

void Player::draw(std::uint8_t* picture, std::int64_t action) {
  view_.preprocess(game_->screen(), picture);
  const int side = view_.square, width = side * static_cast<int>(masks_.size());
  for (int row = 0; row < side; ++row) {
    std::uint8_t* line = picture + row * view_.preprocess.size();
    std::memset(line, 0, width);
    if (action >= 0) std::memset(line + action * side, 255, side);
  }
}

std::uint8_t* Player::picture(int index) {
  return pictures_.data() + index * view_.picture_bytes();
}

}  // namespace nes
