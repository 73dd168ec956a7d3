#include "vector_env.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

namespace nes {
namespace {

// Plays a demonstration and returns the state before each of its steps.
std::vector<GameState> states_of(const Demonstration& demonstration, SuperMarioBros& game,
                                 int skip) {
  game.reset(demonstration.noops);
  std::vector<GameState> states;
  for (const std::uint8_t buttons : demonstration.buttons) {
    if (game.ending() != kRunning) {
      throw std::invalid_argument("the game ends in step " + std::to_string(states.size()) +
                                  " of a demonstration with " +
                                  std::to_string(demonstration.buttons.size()) + " steps");
    }
    states.push_back(game.save_state());
    for (int i = 0; i < skip && game.ending() == kRunning; ++i) game.step(buttons, false);
  }
  return states;
}

}  // namespace

EnvConfig checked(EnvConfig config, int num_envs, int num_threads) {
  const int actions = static_cast<int>(config.button_masks.size());
  const WrapperConfig& wrappers = config.wrappers;
  if (std::min({wrappers.skip, wrappers.stack, num_envs, num_threads, actions}) < 1) {
    throw std::invalid_argument(
        "skip, stack, num_envs, num_threads and the number of button_masks must be at least 1");
  }
  const int space = wrappers.preprocess.size() / actions;
  if (wrappers.action_marker_size < 0 || wrappers.action_marker_size > space) {
    throw std::invalid_argument("action_marker_size must be in 0 to " + std::to_string(space) +
                                ", got " + std::to_string(wrappers.action_marker_size));
  }
  return config;
}

DemonstrationStates make_demonstration_states(const EnvConfig& config) {
  DemonstrationStates states;
  if (config.demonstrations.empty()) return states;
  SuperMarioBros game(config.rom, config.level, config.stall_frames);
  game.start_from(game.start_up());
  for (const Demonstration& demonstration : config.demonstrations) {
    states.push_back(states_of(demonstration, game, config.wrappers.skip));
  }
  return states;
}

std::vector<std::unique_ptr<EnvRunner>> make_runners(const EnvConfig& config,
                                                     const DemonstrationStates& demonstrations,
                                                     int num_envs) {
  std::vector<std::unique_ptr<EnvRunner>> runners;
  std::shared_ptr<const Snapshot> beginning;
  for (int i = 0; i < num_envs; ++i) {
    auto game = std::make_unique<SuperMarioBros>(config.rom, config.level, config.stall_frames);
    if (beginning == nullptr) beginning = game->start_up();
    game->start_from(beginning);
    runners.push_back(std::make_unique<EnvRunner>(
        std::move(game), config.wrappers, config.button_masks, demonstrations));
  }
  return runners;
}

VectorEnv::VectorEnv(EnvConfig config, int num_envs, int num_threads)
    : config_(checked(std::move(config), num_envs, num_threads)),
      demonstrations_(make_demonstration_states(config_)),
      runners_(make_runners(config_, demonstrations_, num_envs)),
      threads_(num_threads) {}

void VectorEnv::start_step(const StepBuffers& buffers, bool caller_waits) {
  check_actions({buffers.actions, buffers.actions + num_envs()});
  for (int i = 0; i < num_envs(); ++i) {
    check_start({buffers.demonstrations[i], buffers.positions[i]});
  }
  threads_.start(num_envs(), [this, buffers](int index) { step(index, buffers); }, caller_waits);
}

void VectorEnv::restore(const std::vector<ReplayPoint>& points, std::uint8_t* observations,
                        std::int64_t* info) {
  if (points.size() != runners_.size()) {
    throw std::invalid_argument("expected the points of " + std::to_string(num_envs()) +
                                " environments, got " + std::to_string(points.size()));
  }
  for (const ReplayPoint& point : points) check(point);
  const auto replay = [&](int index) {
    const auto& [trajectory, start_offset, farthest] = points[index];
    EnvRunner& runner = *runners_[index];
    const auto first = trajectory.actions.begin(), start = first + std::abs(start_offset);
    runner.restore_farthest(farthest);
    runner.reset(trajectory.reset, {first, start}, start_offset < 0);
    for (auto action = start; action != trajectory.actions.end(); ++action) runner.step(*action);
    write_state(index, observations, info);
  };
  threads_.start(num_envs(), replay, true);
  threads_.wait();
}

void VectorEnv::check_actions(const Actions& actions) const {
  const auto last = static_cast<std::int64_t>(config_.button_masks.size()) - 1;
  for (const std::int64_t action : actions) {
    if (action >= 0 && action <= last) continue;
    throw std::invalid_argument("action must be in 0 to " + std::to_string(last) + ", got " +
                                std::to_string(action));
  }
}

void VectorEnv::check_start(DemonstrationPoint start) const {
  const auto [demonstration, position] = start;
  if (demonstration < 0) return;
  const auto count = static_cast<std::int64_t>(demonstrations_.size());
  if (demonstration >= count) {
    throw std::invalid_argument("demonstration must be below " + std::to_string(count) + ", got " +
                                std::to_string(demonstration));
  }
  const auto length = static_cast<std::int64_t>(demonstrations_[demonstration].size());
  if (position < 0 || position >= length) {
    throw std::invalid_argument("the position on a demonstration must be in 0 to " +
                                std::to_string(length - 1) + ", got " + std::to_string(position));
  }
}

void VectorEnv::check(const ReplayPoint& point) const {
  check_actions(point.trajectory.actions);
  check_start(point.trajectory.reset.start);
  if (point.farthest) {
    check_actions(point.farthest->actions);
    check_start(point.farthest->reset.start);
  }
  const auto length = static_cast<std::int64_t>(point.trajectory.actions.size());
  if (point.start_offset < -length || point.start_offset > length) {
    throw std::invalid_argument("start_offset must be in " + std::to_string(-length) + " to " +
                                std::to_string(length) + ", got " +
                                std::to_string(point.start_offset));
  }
}

void VectorEnv::step(int index, const StepBuffers& buffers) {
  EnvRunner& runner = *runners_[index];
  const NesGame::StepResult result = runner.step(buffers.actions[index]);
  buffers.rewards[index] = result.reward;
  buffers.terminated[index] = result.terminated;
  buffers.truncated[index] = result.truncated;
  if (result.terminated || result.truncated) {
    write_state(index, buffers.final_observations, buffers.final_info);
    buffers.final_endings[index] = runner.ending();
    buffers.final_returns[index] = runner.episode_return();
    buffers.final_lengths[index] = runner.length();
    const DemonstrationPoint start = {buffers.demonstrations[index], buffers.positions[index]};
    runner.start_next_episode({buffers.noops[index], buffers.seeds[index], start},
                              buffers.steps_before_loss[index]);
  }
  write_state(index, buffers.observations, buffers.info);
}

void VectorEnv::write_state(int index, std::uint8_t* observations, std::int64_t* info) const {
  const EnvRunner& runner = *runners_[index];
  runner.write_observation(observations + index * observation_bytes());
  for (const std::int64_t value : runner.game().info()) {
    info[index] = value;
    info += num_envs();
  }
  info[index] = runner.start_offset();
  info[num_envs() + index] = runner.farthest_update();
}

const std::vector<const char*>& VectorEnv::info_keys() {
  static const std::vector<const char*> keys = [] {
    std::vector<const char*> all = SuperMarioBros::kInfoKeys;
    all.insert(all.end(), {"start_offset", "farthest_update"});
    return all;
  }();
  return keys;
}

}  // namespace nes
