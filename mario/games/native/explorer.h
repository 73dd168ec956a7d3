// Search for a play that reaches the goal of a game, with save-states: the exploration phase of
// Go-Explore (Ecoffet et al., First return, then explore, arXiv 2004.12919).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cell_archive.h"
#include "nes_game.h"
#include "thread_pool.h"

namespace nes {

using MakeGame = std::function<std::unique_ptr<NesGame>()>;

struct ExplorerConfig {
  Masks button_masks;  // the buttons of each action
  int skip;            // frames per step
  int noops;           // frames without buttons before the first step
  int max_length;      // steps of the longest play, or 0 for no limit
  std::uint64_t seed;
};

// Repeatedly returns to a cell of the archive and plays random actions from there. Results do not
// depend on the number of threads: explorations run in rounds, each with a seed of its own, and
// only after a round are the cells added to the archive, in a fixed order.
class Explorer {
 public:
  // `make_game` returns a game that can be reset. Throws std::invalid_argument without masks, or
  // for a number out of range.
  Explorer(const MakeGame& make_game, ExplorerConfig config, int num_threads);

  // Explores until `steps` more steps were played or the goal is reached.
  void run(std::int64_t steps);

  std::int64_t steps() const { return steps_; }
  const CellArchive& archive() const { return archive_; }

  // The cell with the greatest progress; of several the one that is reached soonest.
  int best_cell() const { return best_cell_; }

  // The buttons of the shortest play that reached the goal.
  const std::optional<Masks>& solution() const { return solution_; }

 private:
  // What an exploration from a cell found. Without a goal, goal_steps is 0.
  struct Exploration {
    int cell;
    Way way;  // to the cell, which may change before the exploration is added
    std::uint64_t seed;
    Masks masks;
    std::vector<Discovery> discoveries;
    int goal_steps;
  };

  void explore(NesGame& game, Exploration& exploration) const;
  void record_cell(NesGame& game, Exploration& exploration) const;
  void add(Exploration& exploration);
  void update_best_cell();

  ExplorerConfig config_;
  CellArchive archive_;
  Random random_;
  std::vector<std::unique_ptr<NesGame>> games_;  // one for each exploration of a round
  std::vector<Exploration> explorations_;
  std::optional<Masks> solution_;
  std::int64_t steps_ = 0;
  int best_cell_ = 0;
  ThreadPool threads_;  // destroyed first, because its threads use the other members
};

}  // namespace nes
