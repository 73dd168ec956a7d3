// One game as an agent plays it: the wrappers of wrappers/stack.py around a game, in one.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "../../emulators/native/preprocess.h"
#include "nes_game.h"

namespace nes {

// What an agent sees of a game: the latest `stack` pictures, one for every `skip` frames. At the
// top of each, squares of `square` pixels, if not 0, show which action led to it.
struct View {
  int skip, stack, square;
  Preprocess preprocess;

  std::size_t picture_bytes() const {
    return static_cast<std::size_t>(preprocess.size()) * preprocess.size();
  }
};

class Player {
 public:
  // `masks`: the buttons of each action. The view and the masks must outlive the player.
  Player(std::unique_ptr<NesGame> game, const View& view, const std::vector<std::uint8_t>& masks);

  void reset(int noops);

  // Holds an action for some frames, fewer if the game ends meanwhile, and sums what they earn.
  NesGame::Frame step(std::int64_t action);

  // Writes the latest pictures, oldest first; the first of an episode is repeated.
  void observe(std::uint8_t* out) const;

  const NesGame& game() const { return *game_; }

  // What the episode earned, and the actions taken in it.
  double earned() const { return earned_; }
  const std::vector<std::int64_t>& actions() const { return actions_; }

 private:
  std::uint8_t* picture(int index);
  // Draws what the console shows; no action led to it if `action` is negative.
  void draw(std::uint8_t* picture, std::int64_t action);

  std::unique_ptr<NesGame> game_;
  const View& view_;
  const std::vector<std::uint8_t>& masks_;
  std::vector<std::uint8_t> pictures_;  // a ring
  int oldest_ = 0;
  double earned_ = 0;
  std::vector<std::int64_t> actions_;
};

}  // namespace nes
