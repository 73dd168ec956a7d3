// Several environments that threads step together.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "env_runner.h"
#include "super_mario_bros.h"
#include "thread_pool.h"

namespace nes {

// Inputs and outputs of one step of n environments.
struct StepBuffers {
  const std::int64_t* actions;  // (n)

  // How the next episodes start if this step ends the current ones. (n) each, see
  // EnvRunner::start_next_episode().
  const std::int64_t* noops;
  const std::uint64_t* seeds;
  const std::int64_t* steps_before_loss;
  const std::int64_t* demonstrations;  // -1 to start at the beginning of the game
  const std::int64_t* positions;

  std::uint8_t* observations;  // (n, stack, size, size)
  double* rewards;             // (n)
  bool* terminated;            // (n)
  bool* truncated;             // (n)
  std::int64_t* info;          // (fields, n)

  // The last step of each episode that ended. Elements of other environments are not written.
  std::uint8_t* final_observations;  // (n, stack, size, size)
  std::int64_t* final_info;          // (fields, n)
  std::int64_t* final_endings;       // (n)
  double* final_returns;             // (n)
  std::int64_t* final_lengths;       // (n)
};

// A point of an environment that replaying actions leads to.
struct ReplayPoint {
  Trajectory trajectory;
  std::int64_t start_offset;  // see EnvRunner::start_offset()
  std::optional<Trajectory> farthest;
};

// A play from the beginning of the game: the number of frames without buttons, and the buttons of
// each step.
struct Demonstration {
  int noops;
  std::vector<std::uint8_t> buttons;
};

struct EnvConfig {
  std::vector<std::uint8_t> rom;
  std::optional<Level> level;
  std::optional<int> stall_frames;
  std::vector<std::uint8_t> button_masks;
  WrapperConfig wrappers;
  std::vector<Demonstration> demonstrations;
};

// Checks a configuration and returns it. Throws std::invalid_argument for a number out of range.
EnvConfig checked(EnvConfig config, int num_envs, int num_threads);

// Plays the demonstrations and returns the state before each of their steps. Throws
// std::invalid_argument for an unsupported ROM, or if the game ends before the last step.
DemonstrationStates make_demonstration_states(const EnvConfig& config);

// Makes environments. The references must outlive them. Throws std::invalid_argument for an
// unsupported ROM.
std::vector<std::unique_ptr<EnvRunner>> make_runners(const EnvConfig& config,
                                                     const DemonstrationStates& demonstrations,
                                                     int num_envs);

class VectorEnv {
 public:
  // Throws std::invalid_argument for a number out of range, an unsupported ROM, or a demonstration
  // in which the game ends before the last step.
  VectorEnv(EnvConfig config, int num_envs, int num_threads);

  int num_envs() const { return static_cast<int>(runners_.size()); }
  std::size_t observation_bytes() const {
    return config_.wrappers.stack * config_.wrappers.image_bytes();
  }

  // Starts a step of all environments, in which the next episode follows one that ends. See
  // ThreadPool::start() for `caller_waits`. Throws std::invalid_argument for an unknown action or
  // an unknown point of a demonstration.
  void start_step(const StepBuffers& buffers, bool caller_waits);
  void wait() { threads_.wait(); }

  // Goes to one point per environment and writes their observations and infos. Throws
  // std::invalid_argument for another number of points, an unknown action, an unknown point of a
  // demonstration, or a start offset that exceeds the number of actions.
  void restore(const std::vector<ReplayPoint>& points, std::uint8_t* observations,
               std::int64_t* info);

  const EnvRunner& runner(int index) const { return *runners_[index]; }

  // Names of the fields of info: those of the game, then `start_offset` and `farthest_update`.
  static const std::vector<const char*>& info_keys();

 private:
  void check_actions(const Actions& actions) const;
  void check_start(DemonstrationPoint start) const;
  void check(const ReplayPoint& point) const;
  void step(int index, const StepBuffers& buffers);
  void write_state(int index, std::uint8_t* observations, std::int64_t* info) const;

  EnvConfig config_;
  DemonstrationStates demonstrations_;
  std::vector<std::unique_ptr<EnvRunner>> runners_;
  ThreadPool threads_;  // destroyed first, because its threads use the other members
};

}  // namespace nes
