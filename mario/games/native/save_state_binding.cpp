// Environments with save-states for Python: SaveStateEnv and RunnerState.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "arrays.h"
#include "bindings.h"
#include "save_state_env.h"

namespace nb = nanobind;
using namespace nb::literals;
using nes_python::Arrays;
using nes_python::format;

namespace {

// nes::SaveStateEnv for Python. The GIL is released while games run.
class PySaveStateEnv {
 public:
  PySaveStateEnv(const nes::EnvConfig& config, int num_envs, int num_threads)
      : env_(config, num_envs, num_threads), busy_(num_envs) {}

  void reset(int env, std::int64_t noops, std::uint64_t seed) {
    env_.runner(checked(env)).reset({noops, seed});
  }

  nes::RunnerState save_state(int env) { return env_.runner(checked(env)).save_state(); }

  void load_state(int env, const nes::RunnerState& state) {
    env_.runner(checked(env)).load_state(state);
  }

  void step(const std::vector<int>& envs, nb::handle actions, nb::handle observations,
            nb::handle rewards, nb::handle endings, nb::handle info) {
    check(envs);
    Arrays arrays;
    const std::size_t count = envs.size();
    const auto* numbers = arrays.add<const std::int64_t>("actions", actions, count);
    const bool known = std::all_of(numbers, numbers + count, [this](std::int64_t action) {
      return 0 <= action && action < env_.num_actions();
    });
    if (!known) {
      throw std::invalid_argument(
          format("actions must be in 0 to {}", env_.num_actions() - 1));
    }
    const nes::SlotBuffers buffers{
        arrays.add<std::uint8_t>("observations", observations, count * env_.observation_bytes()),
        arrays.add<double>("rewards", rewards, count),
        arrays.add<std::int64_t>("endings", endings, count),
        arrays.add<std::int64_t>("info", info, count * num_fields())};
    const nb::gil_scoped_release release;
    env_.step(envs, numbers, buffers);
  }

  void observe(const std::vector<int>& envs, nb::handle observations, nb::handle info) {
    check(envs);
    Arrays arrays;
    const std::size_t count = envs.size();
    const nes::SlotBuffers buffers{
        arrays.add<std::uint8_t>("observations", observations, count * env_.observation_bytes()),
        nullptr, nullptr, arrays.add<std::int64_t>("info", info, count * num_fields())};
    const nb::gil_scoped_release release;
    env_.observe(envs, buffers);
  }

 private:
  static std::size_t num_fields() { return nes::SuperMarioBros::kInfoKeys.size(); }

  int checked(int env) const {
    if (env < 0 || env >= env_.num_envs()) {
      throw std::invalid_argument(
          format("environment must be in 0 to {}, got {}", env_.num_envs() - 1, env));
    }
    return env;
  }

  // Threads step the environments at the same time, so none may be given twice.
  void check(const std::vector<int>& envs) {
    std::fill(busy_.begin(), busy_.end(), false);
    for (const int env : envs) {
      if (busy_[checked(env)]) {
        throw std::invalid_argument(format("environment {} is given twice", env));
      }
      busy_[env] = true;
    }
  }

  nes::SaveStateEnv env_;
  std::vector<bool> busy_;
};

}  // namespace

void bind_save_state_env(nb::module_& module) {
  using NoGil = nb::call_guard<nb::gil_scoped_release>;
  nb::class_<nes::RunnerState>(module, "RunnerState");
  nb::class_<PySaveStateEnv>(module, "SaveStateEnv")
      .def(nb::init<const nes::EnvConfig&, int, int>(), "config"_a, "num_envs"_a, "num_threads"_a)
      .def("reset", &PySaveStateEnv::reset, "env"_a, "noops"_a, "seed"_a, NoGil())
      .def("save_state", &PySaveStateEnv::save_state, "env"_a)
      .def("load_state", &PySaveStateEnv::load_state, "env"_a, "state"_a)
      .def("step", &PySaveStateEnv::step, "envs"_a, "actions"_a, "observations"_a, "rewards"_a,
           "endings"_a, "info"_a)
      .def("observe", &PySaveStateEnv::observe, "envs"_a, "observations"_a, "info"_a);
}
