// One game as an agent plays it: the wrappers of wrappers/stack.py around a game, in one.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "../../emulators/native/preprocess.h"
#include "nes_game.h"

namespace nes {

using Actions = std::vector<std::int64_t>;

// What an agent sees of a game: the latest `stack` pictures, one for every `skip` frames. At the
// top of each, squares of `square` pixels, if not 0, show which action led to it. At each frame the
// buttons of the one before stay pressed with the probability `sticky`; see wrappers/sticky.py.
struct View {
  int skip, stack, square;
  double sticky;
  Preprocess preprocess;

  std::size_t picture_bytes() const {
    return static_cast<std::size_t>(preprocess.size()) * preprocess.size();
  }
};

// How an episode begins: frames without a button, and what seeds its chances.
struct Start {
  std::int64_t noops;
  std::uint64_t seed;
};

class Player {
 public:
  // `masks`: the buttons of each action. The view and the masks must outlive the player.
  Player(std::unique_ptr<NesGame> game, const View& view, const std::vector<std::uint8_t>& masks);

  // Begins an episode after these actions, taken from the game's start and its noops on.
  void reset(Start start, Actions revisited = {});

  // Begins the next episode: `back` decisions before the end of this one, if it was lost and had
  // more, and `back` is not 0; otherwise at the game's start. See wrappers/revisit.py.
  void reset_after_end(Start start, std::int64_t back);

  // Holds an action for some frames, fewer if the game ends meanwhile, and sums what they earn.
  NesGame::Frame step(std::int64_t action);

  // Writes the latest pictures, oldest first; the first of an episode is repeated.
  void observe(std::uint8_t* out) const;

  const NesGame& game() const { return *game_; }

  // What the episode earned, all actions since the game's start, and how many of them were taken
  // before the episode began.
  double earned() const { return earned_; }
  const Actions& actions() const { return actions_; }
  std::int64_t revisited() const { return revisited_; }

 private:
  // `observed`: see NesGame::frame().
  NesGame::Frame hold(std::int64_t action, bool observed);
  std::uint8_t* picture(int index);
  // Draws what the console shows; no action led to it if `action` is negative.
  void draw(std::uint8_t* picture, std::int64_t action);

  std::unique_ptr<NesGame> game_;
  const View& view_;
  const std::vector<std::uint8_t>& masks_;
  std::vector<std::uint8_t> pictures_;  // a ring
  int oldest_ = 0;
  double earned_ = 0;
  Start start_{0, 0};
  std::uint64_t frames_ = 0;     // since the game's start and its noops
  std::uint8_t pressed_ = 0;
  std::int64_t revisited_ = 0;
  Actions actions_;
};

}  // namespace nes
