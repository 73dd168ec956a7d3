// What all NES games have in common, as in mario/games/nes_game.py. Differential tests compare the
// two implementations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../emulators/native/lazy_console.h"

namespace nes {

// A game that waits longer than this for something outside of play is stuck.
constexpr int kMaxWaitFrames = 3000;

// Endings that all games have. The endings of a game follow.
constexpr std::int64_t kRunning = 0, kTruncated = 1;

// A point of a game to which the game can return. It takes about 14 kB.
struct GameState {
  Snapshot console;
  std::vector<std::int64_t> info;
  std::int64_t ending, best_progress;
  int idle_frames;
  bool stuck;
  std::vector<std::uint8_t> episode_fields;
};

class NesGame {
 public:
  // The result of one frame, or of several with the sum of their rewards.
  struct StepResult {
    double reward = 0;
    bool terminated = false, truncated = false;
  };

  // `stall_frames`: number of frames without progress after which the game is truncated.
  NesGame(const std::vector<std::uint8_t>& rom, std::optional<int> stall_frames);
  virtual ~NesGame() = default;

  // Goes from power-on to the point where play begins and returns it. Other games with the same
  // ROM and options can start from this snapshot.
  std::shared_ptr<const Snapshot> start_up();
  void start_from(std::shared_ptr<const Snapshot> beginning) { beginning_ = std::move(beginning); }

  // Starts an episode and runs a number of frames without buttons.
  void reset(int noops);

  // Saves the game, or returns to a saved state of any game with the same ROM and options: steps,
  // info() and screen() are then the same again. Throws std::invalid_argument for another ROM.
  void save_state(GameState& state);
  GameState save_state();
  void load_state(const GameState& state);

  // Runs one frame. `render` is a hint that screen() will be called: it only saves time.
  StepResult step(std::uint8_t buttons, bool render);

  // Runs up to this many frames with the same buttons, fewer if the episode ends, without rendering.
  StepResult repeat_step(std::uint8_t buttons, int frames);

  const std::uint8_t* screen() { return console_.screen(); }
  const std::vector<std::int64_t>& info() const { return info_; }
  std::int64_t ending() const { return ending_; }

  // Whether the episode ended with a failure.
  virtual bool failed() const = 0;

  // What a search with save-states needs, see the methods in Python.
  virtual std::int64_t cell() = 0;
  virtual std::int64_t progress() = 0;

 protected:
  // What defines a game, see the class in Python.
  virtual void start_game() = 0;
  virtual void on_episode_start() = 0;
  virtual double reward() = 0;  // clipped to its range
  virtual std::int64_t read_ending() = 0;
  virtual std::vector<std::int64_t> read_info() = 0;
  virtual void skip_cutscenes() = 0;

  // What the subclass stores about the episode: an object that std::memcpy can copy.
  struct Memory {
    std::uint8_t* data;
    std::size_t size;
  };
  virtual Memory episode_fields() = 0;

  template <typename Fields>
  static Memory memory_of(Fields& fields) {
    static_assert(std::is_trivially_copyable_v<Fields>);
    return {reinterpret_cast<std::uint8_t*>(&fields), sizeof fields};
  }

  // Calls `advance` until `condition` is false; the game is stuck if it stays true.
  template <typename Condition, typename Advance>
  void advance_while(Condition condition, Advance advance) {
    for (int i = 0; i < kMaxWaitFrames; ++i) {
      if (!condition()) return;
      advance();
    }
    stuck_ = condition();
  }

  LazyConsole console_;
  bool stuck_ = false;

 private:
  void start_episode();
  bool is_stalled();

  std::shared_ptr<const Snapshot> beginning_;
  std::vector<std::int64_t> info_;
  std::int64_t ending_ = kRunning;
  std::int64_t best_progress_ = 0;
  std::optional<int> stall_frames_;
  int idle_frames_ = 0;
};

}  // namespace nes
