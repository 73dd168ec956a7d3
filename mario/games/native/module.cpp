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

#include "arrays.h"
#include "bindings.h"
#include "vector_env.h"

namespace nb = nanobind;
using namespace nb::literals;
using nes_python::Arrays;
using nes_python::format;

namespace {

// Index and position.
using PyDemonstrationPoint = std::pair<std::int64_t, std::int64_t>;
// No-op frames, seed, start on a demonstration and actions.
using PyTrajectory =
    std::tuple<std::int64_t, std::uint64_t, std::optional<PyDemonstrationPoint>, nes::Actions>;
// Trajectory, start offset and farthest trajectory.
using PyReplayPoint = std::tuple<PyTrajectory, std::int64_t, std::optional<PyTrajectory>>;
// The actions of a trajectory and of the farthest one.
using ActionLog = std::pair<nes::Actions, std::optional<nes::Actions>>;

// nes::VectorEnv for Python. The GIL is released while games run.
class PyVectorEnv {
 public:
  PyVectorEnv(const nes::EnvConfig& config, int num_envs, int num_threads)
      : env_(std::make_unique<nes::VectorEnv>(config, num_envs, num_threads)) {}

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
    const auto& [noops, seed, start, actions] = trajectory;
    nes::ResetOptions reset{noops, seed};
    if (start) reset.start = {start->first, start->second};
    return {reset, actions};
  }

  std::size_t observation_size() const { return env_->num_envs() * env_->observation_bytes(); }
  std::size_t info_size() const { return env_->num_envs() * nes::VectorEnv::info_keys().size(); }

  // Reads the fields of nes::StepBuffers in their order.
  nes::StepBuffers read_buffers(const nb::tuple& buffers, Arrays& arrays) const {
    constexpr std::size_t kFields = 16;
    if (buffers.size() != kFields) {
      throw std::invalid_argument(
          format("a step needs {} buffers, got {}", kFields, buffers.size()));
    }
    const std::size_t n = env_->num_envs();
    return {arrays.add<const std::int64_t>("actions", buffers[0], n),
            arrays.add<const std::int64_t>("noops", buffers[1], n),
            arrays.add<const std::uint64_t>("seeds", buffers[2], n),
            arrays.add<const std::int64_t>("steps_before_loss", buffers[3], n),
            arrays.add<const std::int64_t>("demonstrations", buffers[4], n),
            arrays.add<const std::int64_t>("positions", buffers[5], n),
            arrays.add<std::uint8_t>("observations", buffers[6], observation_size()),
            arrays.add<double>("rewards", buffers[7], n),
            arrays.add<bool>("terminated", buffers[8], n),
            arrays.add<bool>("truncated", buffers[9], n),
            arrays.add<std::int64_t>("info", buffers[10], info_size()),
            arrays.add<std::uint8_t>("final_observations", buffers[11], observation_size()),
            arrays.add<std::int64_t>("final_info", buffers[12], info_size()),
            arrays.add<std::int64_t>("final_endings", buffers[13], n),
            arrays.add<double>("final_returns", buffers[14], n),
            arrays.add<std::int64_t>("final_lengths", buffers[15], n)};
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
      .def(nb::init<const nes::EnvConfig&, int, int>(), "config"_a, "num_envs"_a, "num_threads"_a)
      .def("start_step", &PyVectorEnv::start_step, "buffers"_a, "caller_waits"_a)
      .def("wait", &PyVectorEnv::wait)
      .def("restore", &PyVectorEnv::restore, "points"_a, "observations"_a, "info"_a)
      .def("action_logs", &PyVectorEnv::action_logs);
  bind_env_config(module);
  bind_game(module);
  bind_save_state_env(module);
  bind_search(module);
}
