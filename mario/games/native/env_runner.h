// One environment: a game with the wrappers of wrappers/ and the start-state curriculum of
// mario/games/starts/start_curriculum.py.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

#include "../../emulators/native/preprocess.h"
#include "nes_game.h"

namespace nes {

using Actions = std::vector<std::int64_t>;

// What the agent observes of a game and how its actions are executed.
//
// An observation consists of the latest `stack` images, one for every `skip` frames. If
// `action_marker_size` is not 0, markers of that size at the top of each image show the action that
// led to it. In each frame, the buttons of the previous frame are kept with the probability
// `repeat_action_probability`, see wrappers/sticky_actions.py. The farthest trajectory is recorded
// only if `track_farthest` is set. An episode that starts on a demonstration is truncated after
// `demonstration_max_steps` steps, unless that is 0.
struct WrapperConfig {
  int skip, stack, action_marker_size;
  double repeat_action_probability;
  bool track_farthest;
  std::int64_t demonstration_max_steps;
  Preprocess preprocess;

  std::size_t image_bytes() const {
    return static_cast<std::size_t>(preprocess.size()) * preprocess.size();
  }
};

// The index of a demonstration and the number of its steps that were taken, or kNoDemonstration.
struct DemonstrationPoint {
  std::int64_t demonstration, position;
};
constexpr DemonstrationPoint kNoDemonstration = {-1, 0};

// The states of the game before each step of each demonstration.
using DemonstrationStates = std::vector<std::vector<GameState>>;

// How a game is reset: the number of frames without buttons, the seed of sticky actions, and the
// point of a demonstration at which the game starts instead of its beginning.
struct ResetOptions {
  std::int64_t noops = 0;
  std::uint64_t seed = 0;
  DemonstrationPoint start = kNoDemonstration;
};

// A game since its reset.
struct Trajectory {
  ResetOptions reset;
  Actions actions;
  double total_reward = 0;
};

// Changes of the farthest trajectory in a step: the values of info["farthest_update"].
constexpr std::int64_t kUnchanged = 0, kReplaced = 1, kCleared = -1;

// A point of an environment to which it can return, with the observation of that point.
struct RunnerState {
  GameState game;
  std::vector<std::uint8_t> images;
  int oldest;
  double episode_return;
  ResetOptions reset;
  std::uint64_t frames;
  std::uint8_t buttons;
};

class EnvRunner {
 public:
  // `button_masks`: the buttons of each action. The references must outlive the runner.
  EnvRunner(std::unique_ptr<NesGame> game, const WrapperConfig& config,
            const std::vector<std::uint8_t>& button_masks,
            const DemonstrationStates& demonstrations);

  // Resets the game, takes the given actions, and starts an episode there. `on_farthest`: the
  // actions are those of the farthest trajectory.
  void reset(ResetOptions options, const Actions& actions = {}, bool on_farthest = false);

  // Starts the next episode. If this one failed and the trajectory is long enough, the next one
  // starts `steps_before_loss` steps before the end of the latest trajectory, or of the farthest
  // one if the number is negative. Otherwise it starts at the beginning of the game.
  void start_next_episode(ResetOptions options, std::int64_t steps_before_loss);

  // Replaces the farthest trajectory, by none if there is none. Replays it to the end.
  void restore_farthest(const std::optional<Trajectory>& farthest);

  // Saves the environment, or returns to a saved state of any environment with the same
  // configuration. The actions before that point are not part of it. The farthest trajectory is not
  // saved. Throws std::invalid_argument for the state of another game.
  RunnerState save_state();
  void load_state(const RunnerState& state);

  // Executes an action for `skip` frames, or fewer if the game ends. The reward is their sum.
  NesGame::StepResult step(std::int64_t action);

  // Writes the observation, with the oldest image first.
  void write_observation(std::uint8_t* out) const;

  const NesGame& game() const { return *game_; }

  // How the episode ended: as NesGame::ending(), or truncated after the maximum number of steps.
  std::int64_t ending() const { return is_cut_ ? kTruncated : game_->ending(); }

  // The sum of the episode's rewards.
  double episode_return() const { return episode_return_; }

  // All actions since the game's reset, and the number of those before the episode began, negative
  // if they are those of the farthest trajectory.
  const Actions& actions() const { return trajectory_.actions; }
  std::int64_t start_offset() const { return start_offset_; }

  // The number of steps of the episode.
  std::int64_t length() const {
    return static_cast<std::int64_t>(trajectory_.actions.size()) - std::abs(start_offset_);
  }

  // The trajectory with the greatest total reward of those that failed since the game was last won,
  // and how the latest step changed it.
  const std::optional<Trajectory>& farthest() const { return farthest_; }
  std::int64_t farthest_update() const { return farthest_update_; }

 private:
  void update_farthest(const NesGame::StepResult& result);
  void replay(ResetOptions options, const Actions& actions);
  // Executes an action and records it. `render`: see NesGame::step().
  NesGame::StepResult execute(std::int64_t action, bool render);
  std::uint8_t* image(int index);
  // Draws the screen and the marker of the action that led to it, without a marker if it is -1.
  void draw(std::uint8_t* image, std::int64_t action);

  std::unique_ptr<NesGame> game_;
  const WrapperConfig& config_;
  const std::vector<std::uint8_t>& button_masks_;
  const DemonstrationStates& demonstrations_;
  std::vector<std::uint8_t> images_;  // a ring buffer
  int oldest_ = 0;
  double episode_return_ = 0;
  std::int64_t start_offset_ = 0;
  bool is_cut_ = false;
  Trajectory trajectory_;
  std::uint64_t frames_ = 0;  // of the trajectory, without the no-op frames
  std::uint8_t buttons_ = 0;
  std::optional<Trajectory> farthest_;
  std::int64_t farthest_update_ = kUnchanged;
};

}  // namespace nes
