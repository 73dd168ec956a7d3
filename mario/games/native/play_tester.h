// Plays variants of a recorded play, from save-states at its steps.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "explorer.h"
#include "nes_game.h"
#include "thread_pool.h"

namespace nes {

// How a play ended after a number of steps. The ending is kRunning if the buttons ran out before.
struct Outcome {
  int steps;
  std::int64_t ending;
  bool won;
};

// The buttons of a play from step `start` on; before, it is the recorded play.
struct Variant {
  int start;
  Masks masks;
};

class PlayTester {
 public:
  // `skip`, `noops`: see ExplorerConfig. Throws std::invalid_argument for a number out of range.
  PlayTester(const MakeGame& make_game, int skip, int noops, int num_threads);

  // Plays from the start of the game, and keeps the state before each step.
  Outcome record(const Masks& play);

  // Plays variants of the recorded play. The steps of an outcome include those before the start.
  // Throws std::invalid_argument for a start outside of the recorded play.
  std::vector<Outcome> test(const std::vector<Variant>& variants);

 private:
  Outcome play(NesGame& game, int start, const Masks& masks, std::vector<GameState>* states) const;

  int skip_, noops_;
  std::vector<std::unique_ptr<NesGame>> games_;  // one for each variant of a round
  std::vector<GameState> states_;
  ThreadPool threads_;  // destroyed first, because its threads use the other members
};

}  // namespace nes
