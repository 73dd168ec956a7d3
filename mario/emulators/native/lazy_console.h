// A console that renders a frame only when its screen is read.
#pragma once

#include <cstdint>
#include <vector>

#include "console.h"

namespace nes {

// A saved state of a console after a frame. It has no screen: the state before the frame and the
// buttons are enough to render it again.
struct Snapshot {
  std::vector<std::uint8_t> state, before;
  std::uint8_t buttons = 0;
};

// Whether a frame's screen is needed is often known only after the frame, for example when it ended
// the episode. The state before each frame is therefore kept, and screen() runs the frame again
// with rendering.
class LazyConsole {
 public:
  // See Console.
  explicit LazyConsole(const std::vector<std::uint8_t>& rom);

  std::uint8_t* ram() { return console_.ram(); }

  // Runs one frame. `render` is a hint that screen() will be called: it only saves time.
  void advance(std::uint8_t buttons, bool render = false);

  // Returns the screen of the last frame, see Console::screen(). Valid until the next call.
  const std::uint8_t* screen();

  // Saves the current state, or returns to a saved one. load() returns false, and changes nothing,
  // if the snapshot is not one of this cartridge.
  void save(Snapshot& snapshot) const;
  bool load(const Snapshot& snapshot);

 private:
  Console console_;
  std::vector<std::uint8_t> before_, after_;  // states before and after the last frame
  std::uint8_t buttons_ = 0;                  // held in the last frame
  bool is_rendered_ = true;
};

}  // namespace nes
