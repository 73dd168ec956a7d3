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
  std::uint8_t* terminated;       // (n)
  std::uint8_t* truncated;        // (n)
  std::int64_t* info;             // (fields, n)
  std::uint8_t* last_observations;  // (n, stack, size, size)
  std::int64_t* last_info;        // (fields, n)
  std::int64_t* last_endings;     // (n)
  double* last_returns;           // (n)
  std::int64_t* last_lengths;     // (n)
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
  // `count` and `threads`: at least 1. Throws std::invalid_argument for a ROM that is not played.
  Games(Setup setup, int count, int threads);

  int count() const { return static_cast<int>(players_.size()); }
  const Setup& setup() const { return setup_; }
  std::size_t observation_bytes() const {
    return setup_.view.stack * setup_.view.picture_bytes();
  }

  // Starts one step of every game; an episode that ends begins anew. See Pool for `waited_for`.
  void start_step(const Rows& rows, bool waited_for);
  void wait() { pool_.wait(); }

  // Brings every game to where it was after its start and these actions, of which the first
  // `revisited` were taken before the episode.
  void restore(const std::vector<Actions>& actions, const std::int64_t* noops,
               const std::uint64_t* seeds, const std::int64_t* revisited, std::uint8_t* observations, std::int64_t* info);

  // See Player::actions().
  const Actions& actions(int game) const { return players_[game]->actions(); }

  // What the fields of info are: the game's, and what the player says of its episode.
  static const std::vector<const char*>& info_names();

 private:
  void step(int game, const Rows& rows);
  void tell(int game, std::uint8_t* observations, std::int64_t* info) const;

  Setup setup_;
  std::vector<std::unique_ptr<Player>> players_;
  Pool pool_;  // the last, so that its threads end before what they work on
};

}  // namespace nes
