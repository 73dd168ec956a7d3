// Search with save-states for Python: MarioExplorer and MarioPlayTester.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "bindings.h"
#include "explorer.h"
#include "play_tester.h"
#include "super_mario_bros.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

std::vector<std::uint8_t> to_vector(const nb::bytes& bytes) {
  const auto* data = static_cast<const std::uint8_t*>(bytes.data());
  return {data, data + bytes.size()};
}

nb::bytes to_bytes(const nes::Masks& masks) {
  return nb::bytes(masks.data(), masks.size());
}

// Returns a function that makes games. All start from the same snapshot, so only the first one runs
// the title screen.
nes::MakeGame game_factory(std::vector<std::uint8_t> rom, std::optional<nes::Level> level,
                           std::optional<int> stall_frames) {
  std::shared_ptr<const nes::Snapshot> beginning;
  return [=]() mutable -> std::unique_ptr<nes::NesGame> {
    auto game = std::make_unique<nes::SuperMarioBros>(rom, level, stall_frames);
    if (beginning == nullptr) beginning = game->start_up();
    game->start_from(beginning);
    return game;
  };
}

// nes::Explorer of Super Mario Bros. for Python. The GIL is released while games run.
class PyMarioExplorer {
 public:
  PyMarioExplorer(const nb::bytes& rom, std::optional<nes::Level> level,
                  std::optional<int> stall_frames, const nb::bytes& button_masks, int skip,
                  int noops, int max_length, std::uint64_t seed, int num_threads)
      : explorer_(game_factory(to_vector(rom), level, stall_frames),
                  {to_vector(button_masks), skip, noops, max_length, seed}, num_threads) {}

  void run(std::int64_t steps) { explorer_.run(steps); }
  std::int64_t steps() const { return explorer_.steps(); }
  std::size_t num_cells() const { return explorer_.archive().size(); }

  // Returns the greatest progress of a cell, and the buttons of the steps that lead to it.
  std::int64_t best_objective() const {
    return explorer_.archive().cell(explorer_.best_cell()).progress;
  }
  nb::bytes best_play() const {
    const nes::CellArchive& archive = explorer_.archive();
    return to_bytes(archive.masks_of(archive.cell(explorer_.best_cell()).way));
  }

  // Returns the cells in the order in which they were found, each with the buttons of the steps that
  // lead to it.
  std::vector<std::tuple<std::int64_t, nb::bytes>> cells() const {
    std::vector<std::tuple<std::int64_t, nb::bytes>> cells;
    for (std::size_t i = 0; i < num_cells(); ++i) {
      const nes::Cell& cell = explorer_.archive().cell(static_cast<int>(i));
      cells.emplace_back(cell.key, to_bytes(explorer_.archive().masks_of(cell.way)));
    }
    return cells;
  }

  std::optional<nb::bytes> solution() const {
    if (!explorer_.solution()) return std::nullopt;
    return to_bytes(*explorer_.solution());
  }

 private:
  nes::Explorer explorer_;
};

// nes::PlayTester of Super Mario Bros. for Python. The GIL is released while games run.
class PyMarioPlayTester {
 public:
  // Steps, ending and whether the goal was reached.
  using PyOutcome = std::tuple<int, std::int64_t, bool>;

  PyMarioPlayTester(const nb::bytes& rom, std::optional<nes::Level> level,
                    std::optional<int> stall_frames, int skip, int noops, int num_threads)
      : tester_(game_factory(to_vector(rom), level, stall_frames), skip, noops, num_threads) {}

  PyOutcome record(const nb::bytes& play) {
    const nes::Masks masks = to_vector(play);
    const nb::gil_scoped_release release;
    return to_tuple(tester_.record(masks));
  }

  std::vector<PyOutcome> test(const std::vector<std::tuple<int, nb::bytes>>& variants) {
    std::vector<nes::Variant> plays;
    for (const auto& [start, masks] : variants) plays.push_back({start, to_vector(masks)});
    const nb::gil_scoped_release release;
    std::vector<PyOutcome> outcomes;
    for (const nes::Outcome& outcome : tester_.test(plays)) outcomes.push_back(to_tuple(outcome));
    return outcomes;
  }

 private:
  static PyOutcome to_tuple(const nes::Outcome& outcome) {
    return {outcome.steps, outcome.ending, outcome.won};
  }

  nes::PlayTester tester_;
};

}  // namespace

void bind_search(nb::module_& module) {
  using NoGil = nb::call_guard<nb::gil_scoped_release>;
  nb::class_<PyMarioExplorer>(module, "MarioExplorer")
      .def(nb::init<const nb::bytes&, std::optional<nes::Level>, std::optional<int>,
                    const nb::bytes&, int, int, int, std::uint64_t, int>(),
           "rom"_a, "level"_a.none(), "stall_frames"_a.none(), "button_masks"_a, "skip"_a,
           "noops"_a, "max_length"_a, "seed"_a, "num_threads"_a)
      .def("run", &PyMarioExplorer::run, "steps"_a, NoGil())
      .def("steps", &PyMarioExplorer::steps)
      .def("num_cells", &PyMarioExplorer::num_cells)
      .def("best_objective", &PyMarioExplorer::best_objective)
      .def("best_play", &PyMarioExplorer::best_play)
      .def("cells", &PyMarioExplorer::cells)
      .def("solution", &PyMarioExplorer::solution);
  nb::class_<PyMarioPlayTester>(module, "MarioPlayTester")
      .def(nb::init<const nb::bytes&, std::optional<nes::Level>, std::optional<int>, int, int,
                    int>(),
           "rom"_a, "level"_a.none(), "stall_frames"_a.none(), "skip"_a, "noops"_a,
           "num_threads"_a)
      .def("record", &PyMarioPlayTester::record, "play"_a)
      .def("test", &PyMarioPlayTester::test, "variants"_a);
}
