#include "super_mario_bros.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace nes {
namespace {

constexpr std::uint8_t kStartButton = 8;
constexpr int kMaxStepPixels = 5;
constexpr int kMaxX = 0x7FFF;  // see MAX_X in the Python class
constexpr int kDeathPenalty = 25;
constexpr int kMaxReward = 15;
constexpr std::int64_t kLevelPixels = 0x10000;
constexpr int kCellWidth = 16, kCellHeight = 24;

constexpr std::int64_t kFlag = 2, kDeath = 3, kTime = 4, kGameOver = 5;  // indices into kEndings

}  // namespace

const std::vector<const char*> SuperMarioBros::kInfoKeys = {
    "coins", "flag_get", "life",  "score", "stage", "status",
    "time",  "world",    "x_pos", "y_pos", "area",  "best_x"};
const std::vector<const char*> SuperMarioBros::kStatuses = {"small", "tall", "fireball"};
const std::vector<const char*> SuperMarioBros::kEndings = {"",      "truncated", "flag",
                                                           "death", "time",      "game over"};

int MarioRam::status() const { return std::min<int>(ram_[0x0756], 2); }

int MarioRam::y() const {
  const int height = 255 - ram_[0x03B8];
  return ram_[0x00B5] == 0 ? height + 255 : height;
}

void MarioRam::choose_level(int world, int stage, int area) {
  ram_[0x075F] = static_cast<std::uint8_t>(world - 1);
  ram_[0x075C] = static_cast<std::uint8_t>(stage - 1);
  ram_[0x0760] = static_cast<std::uint8_t>(area - 1);
}

void MarioRam::skip_area_change() {
  if (1 < ram_[0x06DE] && ram_[0x06DE] < 255) ram_[0x06DE] = 1;
}

bool MarioRam::stage_over() const {
  const auto ends = [](std::uint8_t enemy) { return enemy == 0x2D || enemy == 0x31; };
  return ram_[0x001D] == 3 && std::any_of(ram_ + 0x0016, ram_ + 0x001B, ends);
}

int MarioRam::number(int address, int digits) const {
  int value = 0;
  for (int i = 0; i < digits; ++i) value = value * 10 + ram_[address + i];
  return value;
}

SuperMarioBros::SuperMarioBros(const std::vector<std::uint8_t>& rom, std::optional<Level> level,
                               std::optional<int> stall_frames)
    : NesGame(rom, stall_frames), mario_(console_.ram()), level_(level) {}

bool SuperMarioBros::failed() const {
  return ending() == kDeath || ending() == kTime || ending() == kGameOver;
}

void SuperMarioBros::start_game() {
  press_start();
  advance_while([&] { return mario_.time() == 0; }, [&] { enter_level(); });
  if (stuck_) {
    throw std::invalid_argument(
        "the ROM does not start like Super Mario Bros.; use another file");
  }
  episode_.time = mario_.time();
  advance_while([&] { return clock_stands_still(); }, [&] { press_start(); });
}

void SuperMarioBros::on_episode_start() {
  const int x = mario_.x();
  episode_ = {mario_.time(), x, x, current_life(), 0};
}

double SuperMarioBros::reward() {
  const int x_change = mario_.x() - episode_.x, time_change = mario_.time() - episode_.time;
  episode_.x = mario_.x();
  episode_.time = mario_.time();
  update_best_x();
  int reward = std::abs(x_change) <= kMaxStepPixels ? x_change : 0;
  reward += std::min(time_change, 0);
  if (mario_.dying() || mario_.dead()) reward -= kDeathPenalty;
  return std::clamp(reward, -kMaxReward, kMaxReward);
}

std::int64_t SuperMarioBros::read_ending() {
  if (!level_) {
    // The final scene of the last world never ends.
    const bool won = stuck_ && mario_.world_over();
    return mario_.game_over() ? kGameOver : won ? kFlag : kRunning;
  }
  if (mario_.flag_get()) return kFlag;
  if (mario_.dying() || mario_.dead()) return mario_.time() ? kDeath : kTime;
  return kRunning;
}

std::vector<std::int64_t> SuperMarioBros::read_info() {
  return {mario_.coins(),  mario_.flag_get(), mario_.lives(), mario_.score(),
          mario_.stage(),  mario_.status(),   mario_.time(),  mario_.world(),
          mario_.x(),      mario_.y(),        mario_.area(),  episode_.best_x};
}

std::int64_t SuperMarioBros::cell() {
  std::uint64_t key = 0;
  const auto append = [&key](int value, int bits) {
    key = key << bits | (static_cast<std::uint64_t>(value) & ((1U << bits) - 1));
  };
  append(mario_.world(), 4);
  append(mario_.stage(), 4);
  append(mario_.area(), 16);
  append(mario_.x() / kCellWidth, 12);
  append(mario_.y() / kCellHeight, 5);
  append(mario_.status() > 0, 1);
  append(mario_.is_standing(), 1);
  append(mario_.in_maze(), 1);
  append(mario_.maze_checks_passed(), 3);
  append(mario_.maze_checks(), 3);
  return static_cast<std::int64_t>(key);
}

std::int64_t SuperMarioBros::progress() {
  return episode_.num_lives_and_levels * kLevelPixels + episode_.best_x;
}

void SuperMarioBros::skip_cutscenes() {
  if (mario_.dying()) {
    mario_.kill();
    console_.advance(0);
  }
  if (!level_ && mario_.world_over()) {
    const int time = mario_.time();
    advance_while([&] { return mario_.time() == time; }, [&] { console_.advance(0); });
  }
  if (!stuck_) {
    mario_.skip_area_change();
    advance_while([&] { return mario_.busy() || mario_.world_over(); },
                  [&] {
                    mario_.skip_level_card();
                    console_.advance(0);
                  });
  }
}

void SuperMarioBros::press_start() {
  console_.advance(kStartButton);
  console_.advance(0);
}

void SuperMarioBros::enter_level() {
  console_.advance(kStartButton);
  if (level_) mario_.choose_level((*level_)[0], (*level_)[1], (*level_)[2]);
  console_.advance(0);
  mario_.skip_level_card();
}

bool SuperMarioBros::clock_stands_still() {
  const int previous = episode_.time;
  episode_.time = mario_.time();
  return episode_.time >= previous;
}

void SuperMarioBros::update_best_x() {
  if (const Life current = current_life(); current != episode_.life) {
    episode_.life = current;
    ++episode_.num_lives_and_levels;
    episode_.best_x = 0;
  }
  if (episode_.x <= kMaxX) episode_.best_x = std::max(episode_.best_x, episode_.x);
}

}  // namespace nes
