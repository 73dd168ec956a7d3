// Several games that are stepped together, by threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "player.h"
#include "pool.h"
#include "super_mario_bros.h"

namespace nes {

// Where one step of n games is written. What is marked "last" is written where an episode ended.
struct Rows {
  const std::int64_t* actions;    // (n)
  const std::int64_t* noops;      // (n) with which the next episodes begin,
  const std::uint64_t* seeds;     // (n) which seed them, and
  const std::int64_t* backs;      // (n) for which see Player::reset_after_end()
  std::uint8_t* observations;     // (n, stack, size, size)
  double* rewards;                // (n)
  bool* terminated;               // (n)
  bool* truncated;                // (n)
  std::int64_t* info;             // (fields, n)
  std::uint8_t* last_observations;  // (n, stack, size, size)
  std::int64_t* last_info;        // (fields, n)
  std::int64_t* last_endings;     // (n)
  double* last_returns;           // (n)
  std::int64_t* last_lengths;     // (n)
};

// Where one game was: its way, of which so many actions were taken before the episode, see
// Player::revisited(); and its farthest way, without actions if there is none.
struct Entry {
  Way way;
  std::int64_t revisited = 0;
  Way farthest;
};

// Where and how the games are played.
struct Setup {
  std::vector<std::uint8_t> rom;
  std::optional<Place> target;
  int stall_frames;
  std::vector<std::uint8_t> masks;
  View view;
};

class Games {
 public:
  // Throws std::invalid_argument for a number out of range or a ROM that is not played.
  Games(Setup setup, int count, int threads);

  int count() const { return static_cast<int>(players_.size()); }
  const Setup& setup() const { return setup_; }
  std::size_t observation_bytes() const {
    return setup_.view.stack * setup_.view.picture_bytes();
  }

  // Starts one step of every game; an episode that ends begins anew. See Pool for `waited_for`.
  // Throws std::invalid_argument for an action that the games do not have.
  void start_step(const Rows& rows, bool waited_for);
  void wait() { pool_.wait(); }

  // Brings every game to where it was, and writes what is seen there. Throws std::invalid_argument
  // for an action that the games do not have, or more revisited actions than there are.
  void restore(const std::vector<Entry>& entries, std::uint8_t* observations, std::int64_t* info);

  const Player& player(int game) const { return *players_[game]; }

  // What the fields of info are: the game's, and what the player says of its episode.
  static const std::vector<const char*>& info_names();

 private:
  void check_actions(const std::int64_t* actions, std::size_t count) const;
  void check(const Entry& entry) const;
  void step(int game, const Rows& rows);
  void tell(int game, std::uint8_t* observations, std::int64_t* info) const;

  Setup setup_;
  std::vector<std::unique_ptr<Player>> players_;
  Pool pool_;  // the last, so that its threads end before what they work on
};

}  // namespace nes
