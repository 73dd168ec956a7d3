#include "player.h"

#include <cstdlib>
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

void Player::reset(Start start, const Actions& revisited, bool on_farthest) {
  go(start, revisited);
  earned_ = 0;
  const auto length = static_cast<std::int64_t>(revisited.size());
  revisited_ = on_farthest ? -length : length;
  oldest_ = 0;
  draw(picture(0), -1);
  for (int i = 1; i < view_.stack; ++i) {
    std::memcpy(picture(i), picture(0), view_.picture_bytes());
  }
}

void Player::reset_after_end(Start start, std::int64_t back) {
  if (back == 0 || !game_->lost()) return reset(start);
  const Way& way = back < 0 && farthest_ ? *farthest_ : way_;
  const auto length = static_cast<std::int64_t>(way.actions.size()) - std::abs(back);
  if (length <= 0) return reset(start);
  reset(way.start, Actions(way.actions.begin(), way.actions.begin() + length), back < 0);
}

void Player::recall_farthest(Start start, const Actions& actions) {
  farthest_.reset();
  if (!actions.empty()) go(start, actions);
}

NesGame::Frame Player::step(std::int64_t action) {
  const NesGame::Frame step = hold(action, true);
  earned_ += step.reward;
  draw(picture(oldest_), action);
  oldest_ = (oldest_ + 1) % view_.stack;
  return step;
}

void Player::go(Start start, const Actions& actions) {
  game_->reset(static_cast<int>(start.noops));
  way_ = {start, {}, 0};
  frames_ = 0;
  for (const std::int64_t action : actions) hold(action, false);
  farthest_told_ = kAsBefore;
}

void Player::judge(const NesGame::Frame& step) {
  farthest_told_ = kAsBefore;
  if (!view_.keeps_farthest) return;
  if (game_->lost()) {
    if (farthest_ && way_.earned <= farthest_->earned) return;
    farthest_ = way_;
    farthest_told_ = kFarthestNow;
  } else if (step.terminated) {
    farthest_.reset();
    farthest_told_ = kNoneAnyMore;
  }
}

NesGame::Frame Player::hold(std::int64_t action, bool observed) {
  NesGame::Frame step{0, false, false};
  for (int i = 1; i <= view_.skip && !(step.terminated || step.truncated); ++i) {
    if (frames_ == 0 || chance(way_.start.seed, frames_) >= view_.sticky) pressed_ = masks_[action];
    ++frames_;
    const NesGame::Frame frame = game_->frame(pressed_, observed && i == view_.skip);
    step = {step.reward + frame.reward, frame.terminated, frame.truncated};
  }
  way_.actions.push_back(action);
  way_.earned += step.reward;
  judge(step);
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
