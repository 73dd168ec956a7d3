// The Python module mario.games._native: the class VectorEnv, the other bindings, and constants that
// explain the outputs.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "bindings.h"
#include "vector_env.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// No-op frames, seed and actions.
using PyTrajectory = std::tuple<std::int64_t, std::uint64_t, nes::Actions>;
// Trajectory, start offset and farthest trajectory.
using PyReplayPoint = std::tuple<PyTrajectory, std::int64_t, std::optional<PyTrajectory>>;
// The actions of a trajectory and of the farthest one.
using ActionLog = std::pair<nes::Actions, std::optional<nes::Actions>>;

template <typename... Args>
std::string format(const char* text, Args&&... args) {
  return nb::str(text).format(std::forward<Args>(args)...).c_str();
}

template <typename T>
std::string dtype_name() {
  using Value = std::remove_const_t<T>;
  if (std::is_same_v<Value, bool>) return "bool";
  const char* kind = std::is_floating_point_v<Value> ? "float"
                     : std::is_unsigned_v<Value>     ? "uint"
                                                     : "int";
  return kind + std::to_string(8 * sizeof(T));
}

// NumPy arrays that compiled code reads and writes, kept alive until clear().
class Arrays {
 public:
  // Returns an array's memory. T is const if the array is only read. Raises TypeError or ValueError
  // if the object is not a C-contiguous array of `size` elements of type T.
  template <typename T>
  T* add(const char* name, nb::handle object, std::size_t size) {
    nb::ndarray<T, nb::c_contig, nb::device::cpu> array;
    if (!nb::try_cast(object, array, false)) {
      const char* access = std::is_const_v<T> ? "" : " writable,";
      const std::string message = format("{} must be a{} C-contiguous array of {}", name, access,
                                         dtype_name<T>().c_str());
      throw nb::type_error(message.c_str());
    }
    if (array.size() != size) {
      throw std::invalid_argument(
          format("{} must have {} elements, got {}", name, size, array.size()));
    }
    arrays_.emplace_back(array);
    return array.data();
  }

  void clear() { arrays_.clear(); }

 private:
  std::vector<nb::ndarray<>> arrays_;
};

// nes::VectorEnv for Python. The GIL is released while games run.
class PyVectorEnv {
 public:
  PyVectorEnv(const nb::bytes& rom, std::optional<nes::Level> level,
              std::optional<int> stall_frames, const nb::bytes& button_masks, int skip, int stack,
              int size, int crop_top, const nb::bytes& gray_palette, int action_marker_size,
              double repeat_action_probability, bool track_farthest, int num_envs,
              int num_threads) {
    nes::GrayPalette palette;
    if (gray_palette.size() != palette.size()) {
      throw std::invalid_argument(format("gray_palette must have {} bytes, got {}", palette.size(),
                                         gray_palette.size()));
    }
    std::copy_n(data(gray_palette), palette.size(), palette.begin());
    const nes::Preprocess preprocess(size, crop_top, palette);
    const nes::WrapperConfig wrappers{skip,           stack,     action_marker_size,
                                      repeat_action_probability, track_farthest, preprocess};
    env_ = std::make_unique<nes::VectorEnv>(
        nes::EnvConfig{copy(rom), level, stall_frames, copy(button_masks), wrappers}, num_envs,
        num_threads);
  }

  ~PyVectorEnv() {
    const nb::gil_scoped_release release;
    env_.reset();
  }

  void start_step(const nb::tuple& buffers, bool caller_waits) {
    wait();
    Arrays arrays;
    const nes::StepBuffers pointers = read_buffers(buffers, arrays);
    env_->start_step(pointers, caller_waits);
    arrays_ = std::move(arrays);
  }

  void wait() {
    {
      const nb::gil_scoped_release release;
      env_->wait();
    }
    arrays_.clear();
  }

  void restore(const std::vector<PyReplayPoint>& replay_points, nb::handle observations,
               nb::handle info) {
    Arrays arrays;
    auto* images = arrays.add<std::uint8_t>("observations", observations, observation_size());
    auto* fields = arrays.add<std::int64_t>("info", info, info_size());
    std::vector<nes::ReplayPoint> points;
    for (const auto& [trajectory, start_offset, farthest] : replay_points) {
      points.push_back({to_trajectory(trajectory), start_offset, std::nullopt});
      if (farthest) points.back().farthest = to_trajectory(*farthest);
    }
    const nb::gil_scoped_release release;
    env_->restore(points, images, fields);
  }

  std::vector<ActionLog> action_logs() {
    const nb::gil_scoped_release release;
    env_->wait();
    std::vector<ActionLog> logs;
    for (int i = 0; i < env_->num_envs(); ++i) {
      const nes::EnvRunner& runner = env_->runner(i);
      const auto& farthest = runner.farthest();
      logs.emplace_back(runner.actions(),
                        farthest ? std::optional(farthest->actions) : std::nullopt);
    }
    return logs;
  }

 private:
  static nes::Trajectory to_trajectory(const PyTrajectory& trajectory) {
    const auto& [noops, seed, actions] = trajectory;
    return {{noops, seed}, actions};
  }

  static const std::uint8_t* data(const nb::bytes& bytes) {
    return static_cast<const std::uint8_t*>(bytes.data());
  }
  static std::vector<std::uint8_t> copy(const nb::bytes& bytes) {
    return {data(bytes), data(bytes) + bytes.size()};
  }

  std::size_t observation_size() const { return env_->num_envs() * env_->observation_bytes(); }
  std::size_t info_size() const { return env_->num_envs() * nes::VectorEnv::info_keys().size(); }

  // Reads the fields of nes::StepBuffers in their order.
  nes::StepBuffers read_buffers(const nb::tuple& buffers, Arrays& arrays) const {
    constexpr std::size_t kFields = 14;
    if (buffers.size() != kFields) {
      throw std::invalid_argument(
          format("a step needs {} buffers, got {}", kFields, buffers.size()));
    }
    const std::size_t n = env_->num_envs();
    return {arrays.add<const std::int64_t>("actions", buffers[0], n),
            arrays.add<const std::int64_t>("noops", buffers[1], n),
            arrays.add<const std::uint64_t>("seeds", buffers[2], n),
            arrays.add<const std::int64_t>("steps_before_loss", buffers[3], n),
            arrays.add<std::uint8_t>("observations", buffers[4], observation_size()),
            arrays.add<double>("rewards", buffers[5], n),
            arrays.add<bool>("terminated", buffers[6], n),
            arrays.add<bool>("truncated", buffers[7], n),
            arrays.add<std::int64_t>("info", buffers[8], info_size()),
            arrays.add<std::uint8_t>("final_observations", buffers[9], observation_size()),
            arrays.add<std::int64_t>("final_info", buffers[10], info_size()),
            arrays.add<std::int64_t>("final_endings", buffers[11], n),
            arrays.add<double>("final_returns", buffers[12], n),
            arrays.add<std::int64_t>("final_lengths", buffers[13], n)};
  }

  Arrays arrays_;  // of the running step
  std::unique_ptr<nes::VectorEnv> env_;
};

nb::tuple to_tuple(const std::vector<const char*>& names) { return nb::tuple(nb::cast(names)); }

}  // namespace

NB_MODULE(_native, module) {
  nb::set_leak_warnings(false);  // environments may be alive when the interpreter exits
  module.attr("INFO_KEYS") = to_tuple(nes::VectorEnv::info_keys());
  module.attr("STATUSES") = to_tuple(nes::SuperMarioBros::kStatuses);
  module.attr("ENDINGS") = to_tuple(nes::SuperMarioBros::kEndings);
  module.attr("PALETTE") = nb::bytes(nes::kPalette, sizeof(nes::kPalette));
  nb::class_<PyVectorEnv>(module, "VectorEnv")
      .def(nb::init<const nb::bytes&, std::optional<nes::Level>, std::optional<int>,
                    const nb::bytes&, int, int, int, int, const nb::bytes&, int, double, bool, int,
                    int>(),
           "rom"_a, "level"_a.none(), "stall_frames"_a.none(), "button_masks"_a, "skip"_a,
           "stack"_a, "size"_a, "crop_top"_a, "gray_palette"_a, "action_marker_size"_a,
           "repeat_action_probability"_a, "track_farthest"_a, "num_envs"_a, "num_threads"_a)
      .def("start_step", &PyVectorEnv::start_step, "buffers"_a, "caller_waits"_a)
      .def("wait", &PyVectorEnv::wait)
      .def("restore", &PyVectorEnv::restore, "points"_a, "observations"_a, "info"_a)
      .def("action_logs", &PyVectorEnv::action_logs);
  bind_game(module);
}
