// What every NES game has in common: the class NesGame of mario/games/nes.py, method by method, for
// games that are to be played faster than Python can. Tests hold the two together.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "../../emulators/native/lazy_console.h"

namespace nes {

// A game that takes longer over what is no play counts as stuck.
constexpr int kPatienceFrames = 3000;

// Why a game ended. A game's own reasons come after these.
constexpr std::int64_t kGoesOn = 0, kTruncated = 1;

class NesGame {
 public:
  // What one frame came to.
  struct Frame {
    double reward;
    bool terminated, truncated;
  };

  // `stall_frames`: frames without progress() after which the game is cut short, negative for never.
  NesGame(const std::vector<std::uint8_t>& rom, int stall_frames);
  virtual ~NesGame() = default;

  // Goes from power-on to where play begins, and returns that moment: all games of a kind can begin
  // at one that a single game has come to.
  std::shared_ptr<const Snapshot> start_up();
  void begin_at(std::shared_ptr<const Snapshot> opening) { opening_ = std::move(opening); }

  // Begins an episode, and lets the given number of frames pass with no button held.
  void reset(int noops);

  // Plays one frame. `observed` is a guess whether it will be looked at.
  Frame frame(std::uint8_t buttons, bool observed);

  const std::uint8_t* screen() { return console_.screen(); }
  const std::vector<std::int64_t>& info() const { return info_; }
  std::int64_t why_ended() const { return why_ended_; }
  virtual bool lost() const = 0;

 protected:
  // What a game is made of; see the methods of the same names in Python.
  virtual void start() = 0;
  virtual void began() = 0;
  virtual double reward() = 0;  // clipped to its range
  virtual std::int64_t ending() = 0;
  virtual std::vector<std::int64_t> read_info() = 0;
  virtual std::int64_t progress() = 0;
  virtual void cut_scenes() = 0;

  template <typename GoingOn, typename Frames>
  void wait_while(GoingOn going_on, Frames frames) {
    for (int i = 0; i < kPatienceFrames; ++i) {
      if (!going_on()) return;
      frames();
    }
    stuck_ = going_on();
  }

  LazyConsole console_;
  bool stuck_ = false;

 private:
  void begin();
  bool stalled();

  std::shared_ptr<const Snapshot> opening_;
  std::vector<std::int64_t> info_;
  std::int64_t why_ended_ = kGoesOn;
  std::int64_t furthest_ = 0;
  int stall_frames_, idle_frames_ = 0;
};

}  // namespace nes
