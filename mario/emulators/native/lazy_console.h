// A console that renders a frame only when its screen is read.
#pragma once

#include <cstdint>
#include <vector>

#include "console.h"

namespace nes {

// A saved state of a console and the screen that goes with it.
struct Snapshot {
  std::vector<std::uint8_t> state;
  std::vector<std::uint8_t> screen;
};

// Whether a frame's screen is needed is often known only after the frame, for example when it ended
// the episode. The state before each frame that is not rendered is therefore kept, and screen()
// runs the frame again with rendering.
class LazyConsole {
 public:
  // See Console.
  explicit LazyConsole(const std::vector<std::uint8_t>& rom);

  std::uint8_t* ram() { return console_.ram(); }

  // Runs one frame. `render` is a hint that screen() will be called: it only saves time.
  void advance(std::uint8_t buttons, bool render = false);

  // Returns the screen of the last frame, see Console::screen(). Valid until the next call.
  const std::uint8_t* screen();

  // Saves the current state, or returns to a saved one. A restored snapshot must stay alive until
  // the next advance(), because screen() points into it.
  Snapshot snapshot();
  void restore(const Snapshot& snapshot);

 private:
  Console console_;
  std::vector<std::uint8_t> before_, after_;  // states before and after the last frame
  std::uint8_t buttons_ = 0;                  // held in the last frame
  const std::uint8_t* screen_ = nullptr;      // null while the last frame is not rendered
  std::vector<std::uint8_t> late_screen_;     // a frame rendered afterwards
};

}  // namespace nes
