// An NES with a cartridge inserted. It has no global state, so any number of consoles can run
// concurrently.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nes {

constexpr int kWidth = 256;
constexpr int kHeight = 240;
constexpr std::size_t kRamBytes = 2048;

class Console {
 public:
  // Switches the console on. `rom` is a complete iNES file. Throws std::invalid_argument with a
  // one-line message if the ROM is invalid, truncated, for PAL, or of an unsupported mapper.
  explicit Console(const std::vector<std::uint8_t>& rom);
  ~Console();

  // Switches the console off and on again.
  void power_on();

  // Runs one frame with these buttons of controller 1 held, in nes-py's bit order. Without `render`
  // the game runs identically, but screen() is not updated.
  void advance(std::uint8_t buttons, bool render);

  // The 2,048 bytes of work RAM, which may be read and written between frames.
  std::uint8_t* ram();

  // The last rendered frame: palette indices 0..63, kHeight rows of kWidth.
  const std::uint8_t* screen() const;

  // Saves and loads the complete state. Without the screen a state is a tenth of the size, and
  // loading it leaves the screen as it is. load_state() accepts both kinds. It returns false, and
  // changes nothing, if the bytes are not a state of this cartridge. No input makes it access
  // memory out of bounds, neither during the call nor later.
  std::size_t state_size(bool with_screen) const;
  void save_state(std::uint8_t* out, bool with_screen) const;
  bool load_state(const std::uint8_t* in, std::size_t size);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Red, green and blue of the 64 palette entries, as in nes-py.
extern const std::uint8_t kPalette[64][3];

}  // namespace nes
