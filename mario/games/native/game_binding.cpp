// A single game for Python, without wrappers: MarioGame and its save-states.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "bindings.h"
#include "super_mario_bros.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Screen = nb::ndarray<nb::numpy, std::uint8_t, nb::ndim<2>>;

// nes::SuperMarioBros for Python. The GIL is released while the game runs.
class PyMarioGame {
 public:
  PyMarioGame(const nb::bytes& rom, std::optional<nes::Level> level,
              std::optional<int> stall_frames)
      : game_({bytes(rom), bytes(rom) + rom.size()}, level, stall_frames) {
    game_.start_up();
    game_.reset(0);
  }

  void reset(int noops) { game_.reset(noops); }

  std::tuple<double, bool, bool> step(std::uint8_t buttons) {
    const nes::NesGame::StepResult result = game_.step(buttons, false);
    return {result.reward, result.terminated, result.truncated};
  }

  // Returns a copy of the screen: palette indices.
  Screen screen() {
    constexpr std::size_t kPixels = nes::kHeight * nes::kWidth;
    auto* pixels = new std::uint8_t[kPixels];
    std::copy_n(game_.screen(), kPixels, pixels);
    const nb::capsule owner(pixels, [](void* p) noexcept { delete[] static_cast<uint8_t*>(p); });
    return Screen(pixels, {nes::kHeight, nes::kWidth}, owner);
  }

  std::vector<std::int64_t> info() const { return game_.info(); }
  std::int64_t ending() const { return game_.ending(); }
  nes::GameState save_state() { return game_.save_state(); }
  void load_state(const nes::GameState& state) { game_.load_state(state); }

 private:
  static const std::uint8_t* bytes(const nb::bytes& bytes) {
    return static_cast<const std::uint8_t*>(bytes.data());
  }

  nes::SuperMarioBros game_;
};

}  // namespace

void bind_game(nb::module_& module) {
  using NoGil = nb::call_guard<nb::gil_scoped_release>;
  nb::class_<nes::GameState>(module, "GameState");
  nb::class_<PyMarioGame>(module, "MarioGame")
      .def(nb::init<const nb::bytes&, std::optional<nes::Level>, std::optional<int>>(), "rom"_a,
           "level"_a.none(), "stall_frames"_a.none())
      .def("reset", &PyMarioGame::reset, "noops"_a, NoGil())
      .def("step", &PyMarioGame::step, "buttons"_a, NoGil())
      .def("screen", &PyMarioGame::screen)
      .def("info", &PyMarioGame::info)
      .def("ending", &PyMarioGame::ending)
      .def("save_state", &PyMarioGame::save_state)
      .def("load_state", &PyMarioGame::load_state, "state"_a);
}
