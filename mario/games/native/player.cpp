#include "player.h"

#include <cstring>

namespace nes {

Player::Player(std::unique_ptr<NesGame> game, const View& view,
               const std::vector<std::uint8_t>& masks)
    : game_(std::move(game)),
      view_(view),
      masks_(masks),
      pictures_(view.stack * view.picture_bytes()) {}

void Player::reset(int noops) {
  game_->reset(noops);
  earned_ = 0;
  actions_.clear();
  oldest_ = 0;
  draw(picture(0), -1);
  for (int i = 1; i < view_.stack; ++i) {
    std::memcpy(picture(i), picture(0), view_.picture_bytes());
  }
}

NesGame::Frame Player::step(std::int64_t action) {
  actions_.push_back(action);
  NesGame::Frame step{0, false, false};
  for (int i = 1; i <= view_.skip && !(step.terminated || step.truncated); ++i) {
    const NesGame::Frame frame = game_->frame(masks_[action], i == view_.skip);
    step = {step.reward + frame.reward, frame.terminated, frame.truncated};
  }
  earned_ += step.reward;
  draw(picture(oldest_), action);
  oldest_ = (oldest_ + 1) % view_.stack;
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
