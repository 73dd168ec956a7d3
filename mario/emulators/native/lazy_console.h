// A console that draws a frame only when it is looked at.
#pragma once

#include <cstdint>
#include <vector>

#include "console.h"

namespace nes {

// A moment of a console, to come back to.
struct Moment {
  std::vector<std::uint8_t> state;
  std::vector<std::uint8_t> screen;
};

// Whether a frame will be looked at is often known only after it, when it ended the game, say. So
// the state before each frame that is not drawn is kept, and the frame is run again to be drawn.
class LazyConsole {
 public:
  // See Console.
  explicit LazyConsole(const std::vector<std::uint8_t>& rom);

  std::uint8_t* ram() { return console_.ram(); }

  // Runs one frame. `drawn` says that it will be looked at: a guess, which only saves time.
  void advance(std::uint8_t buttons, bool drawn = false);

  // What the last frame shows, as Console::screen() has it, until the console goes on.
  const std::uint8_t* screen();

  // The present moment, and the way back to it. A moment must outlive its use.
  Moment moment();
  void go_to(const Moment& moment);

 private:
  Console console_;
  std::vector<std::uint8_t> before_, after_;  // the last frame
  std::uint8_t buttons_ = 0;                  // held in the last frame
  const std::uint8_t* screen_ = nullptr;      // null while the last frame is not drawn
  std::vector<std::uint8_t> drawn_;           // what was drawn late, as a state may hold the screen
};

}  // namespace nes
