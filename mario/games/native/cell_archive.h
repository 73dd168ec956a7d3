// The archive of Go-Explore: the cells that a search has reached, each with the shortest way there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "nes_game.h"
#include "random.h"

namespace nes {

using Masks = std::vector<std::uint8_t>;  // the buttons of each step

// A way from the start of a game: its last step, which links to the one before, and its length.
struct Way {
  int node = -1;
  int length = 0;
};

// A cell is a set of similar states of a game, see NesGame::cell().
struct Cell {
  std::int64_t key, progress;
  Way way;
  GameState state;
};

// A cell that an exploration reached after `steps` of its steps.
struct Discovery {
  std::int64_t key, progress;
  int steps;
  GameState state;
};

class CellArchive {
 public:
  // `seed`: of the choices.
  explicit CellArchive(std::uint64_t seed) : random_(seed) {}

  std::size_t size() const { return cells_.size(); }
  const Cell& cell(int index) const { return cells_[index]; }

  // Whether add() would keep a way of this length: the cell is new, or all others are longer.
  bool improves(std::int64_t key, int length) const;

  // Adds the cells of an exploration that started at the end of a way. The discoveries are in the
  // order of their steps.
  void add(Way way, const Masks& masks, std::vector<Discovery> discoveries);

  // Chooses a cell to explore from: half of the choices are one of the newest cells, the others
  // one of those chosen least often.
  int choose();

  // Returns the buttons of all steps of a way.
  Masks masks_of(Way way) const;

 private:
  // A step. Ways that begin alike share nodes.
  struct Node {
    int parent;
    std::uint8_t buttons;
  };
  // How often a cell was chosen, a random number that decides between equals, and the index.
  using Priority = std::pair<std::uint64_t, int>;

  void set_choices(int index, std::uint64_t choices);

  Random random_;
  std::vector<Cell> cells_;
  std::vector<Node> nodes_;
  std::unordered_map<std::int64_t, int> indices_;
  std::vector<std::uint64_t> priorities_;
  std::set<Priority> queue_;
};

}  // namespace nes
