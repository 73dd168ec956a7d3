// Environments that can return to any earlier point.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "env_runner.h"
#include "thread_pool.h"
#include "vector_env.h"

namespace nes {

// Outputs of a step or of observe(), with one element per given environment, in their order.
struct SlotBuffers {
  std::uint8_t* observations;  // (m, stack, size, size)
  double* rewards;             // (m)
  std::int64_t* endings;       // (m), 0 while the episode runs
  std::int64_t* info;          // (m, fields)
};

// Unlike those of VectorEnv, the environments are not reset when an episode ends, and any subset of
// them can be stepped.
class SaveStateEnv {
 public:
  // Throws std::invalid_argument for a number out of range or an unsupported ROM.
  SaveStateEnv(EnvConfig config, int num_envs, int num_threads);

  int num_envs() const { return static_cast<int>(runners_.size()); }
  int num_actions() const { return static_cast<int>(config_.button_masks.size()); }
  std::size_t observation_bytes() const {
    return config_.wrappers.stack * config_.wrappers.image_bytes();
  }

  EnvRunner& runner(int env) { return *runners_[env]; }

  // Takes one step in each of the given environments, which must be different ones.
  void step(const std::vector<int>& envs, const std::int64_t* actions, const SlotBuffers& buffers);

  // Writes the observations and the infos of the given environments; only these buffers are used.
  void observe(const std::vector<int>& envs, const SlotBuffers& buffers) const;

 private:
  void write(int env, std::size_t row, const SlotBuffers& buffers) const;

  EnvConfig config_;
  DemonstrationStates demonstrations_;
  std::vector<std::unique_ptr<EnvRunner>> runners_;
  ThreadPool threads_;  // destroyed first, because its threads use the other members
};

}  // namespace nes
