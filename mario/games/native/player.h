// One game as an agent plays it: the wrappers of wrappers/stack.py around a game, in one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "../../emulators/native/preprocess.h"
#include "nes_game.h"

namespace nes {

using Actions = std::vector<std::int64_t>;

// What an agent sees of a game: the latest `stack` pictures, one for every `skip` frames. At the
// top of each, squares of `square` pixels, if not 0, show which action led to it. At each frame the
// buttons of the one before stay pressed with the probability `sticky`; see wrappers/sticky.py.
// `keeps_farthest`: the farthest way is kept, to go back on it.
struct View {
  int skip, stack, square;
  double sticky;
  bool keeps_farthest;
  Preprocess preprocess;

  std::size_t picture_bytes() const {
    return static_cast<std::size_t>(preprocess.size()) * preprocess.size();
  }
};

// How an episode begins: frames without a button, and what seeds its probabilities.
struct Start {
  std::int64_t noops;
  std::uint64_t seed;
};

// How a game came to where it is: all actions since its start, and the sum of their rewards.
struct Way {
  Start start{0, 0};
  Actions actions;
  double earned = 0;
};

// What is told of the farthest way at the end of an episode, and while it goes on.
constexpr std::int64_t kAsBefore = 0, kFarthestNow = 1, kNoneAnyMore = -1;

class Player {
 public:
  // `masks`: the buttons of each action. The view and the masks must outlive the player.
  Player(std::unique_ptr<NesGame> game, const View& view, const std::vector<std::uint8_t>& masks);

  // Begins an episode after these actions, taken from the game's start and its noops on;
  // `on_farthest`: they are of the farthest way.
  void reset(Start start, const Actions& revisited = {}, bool on_farthest = false);

  // Begins the next episode at the game's start, or, if this one was lost and the way is longer,
  // so many decisions before its end, or before the end of the farthest way if `back` is less
  // than 0. See wrappers/revisit.py.
  void reset_after_end(Start start, std::int64_t back);

  // Forgets the farthest way, and takes another one if there are actions of it.
  void recall_farthest(Start start, const Actions& actions);

  // Holds an action for some frames, fewer if the game ends meanwhile, and sums what they earn.
  NesGame::Frame step(std::int64_t action);

  // Writes the latest pictures, oldest first; the first of an episode is repeated.
  void observe(std::uint8_t* out) const;

  const NesGame& game() const { return *game_; }

  // What the episode earned, all actions since the game's start, and how many of them were taken
  // before the episode began, less than 0 if they are of the farthest way.
  double earned() const { return earned_; }
  const Actions& actions() const { return way_.actions; }
  std::int64_t revisited() const { return revisited_; }

  // The way that earned most of all that were lost since the game was won, and what the latest
  // step changed of that.
  const std::optional<Way>& farthest() const { return farthest_; }
  std::int64_t farthest_told() const { return farthest_told_; }

 private:
  // Keeps the way if it is the farthest that was lost; keeps none when the game is won.
  void judge(const NesGame::Frame& step);
  // Takes a way from its start on.
  void go(Start start, const Actions& actions);
  // Holds an action, and adds it to the way. `observed`: see NesGame::frame().
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
  Way way_;
  std::optional<Way> farthest_;
  std::int64_t farthest_told_ = kAsBefore;
  std::uint64_t frames_ = 0;     // since the game's start and its noops
  std::uint8_t pressed_ = 0;
  std::int64_t revisited_ = 0;
};

}  // namespace nes
