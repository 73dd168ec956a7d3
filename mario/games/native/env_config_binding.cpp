// The configuration of compiled environments for Python: EnvConfig.
#include <nanobind/nanobind.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "vector_env.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// Number of no-op frames and buttons.
using PyDemonstration = std::pair<int, nb::bytes>;

const std::uint8_t* data(const nb::bytes& bytes) {
  return static_cast<const std::uint8_t*>(bytes.data());
}

std::vector<std::uint8_t> copy(const nb::bytes& bytes) {
  return {data(bytes), data(bytes) + bytes.size()};
}

void init(nes::EnvConfig* config, const nb::bytes& rom, std::optional<nes::Level> level,
          std::optional<int> stall_frames, const nb::bytes& button_masks, int skip, int stack,
          int size, int crop_top, const nb::bytes& gray_palette, int action_marker_size,
          double repeat_action_probability, bool track_farthest,
          const std::vector<PyDemonstration>& demonstrations,
          std::int64_t demonstration_max_steps) {
  nes::GrayPalette palette;
  if (gray_palette.size() != palette.size()) {
    throw std::invalid_argument(nes_python::format("gray_palette must have {} bytes, got {}",
                                                   palette.size(), gray_palette.size()));
  }
  std::copy_n(data(gray_palette), palette.size(), palette.begin());
  const nes::Preprocess preprocess(size, crop_top, palette);
  const nes::WrapperConfig wrappers{skip,
                                    stack,
                                    action_marker_size,
                                    repeat_action_probability,
                                    track_farthest,
                                    demonstration_max_steps,
                                    preprocess};
  new (config) nes::EnvConfig{copy(rom), level, stall_frames, copy(button_masks), wrappers, {}};
  for (const auto& [noops, buttons] : demonstrations) {
    config->demonstrations.push_back({noops, copy(buttons)});
  }
}

}  // namespace

void bind_env_config(nb::module_& module) {
  nb::class_<nes::EnvConfig>(module, "EnvConfig")
      .def("__init__", &init, "rom"_a, "level"_a.none(), "stall_frames"_a.none(),
           "button_masks"_a, "skip"_a, "stack"_a, "size"_a, "crop_top"_a, "gray_palette"_a,
           "action_marker_size"_a, "repeat_action_probability"_a, "track_farthest"_a,
           "demonstrations"_a, "demonstration_max_steps"_a);
}
