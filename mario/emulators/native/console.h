// One NES with a cartridge in it: no globals, nothing shared, so that any number can run at a time.
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
  // Switches a console on. `rom` is a whole iNES file. Throws std::invalid_argument, its message one
  // line, for a ROM that is broken, truncated, PAL or of an unknown mapper.
  explicit Console(const std::vector<std::uint8_t>& rom);
  ~Console();

  // Off and on again.
  void power_on();

  // Runs one frame with these buttons of controller 1 held (nes-py's bits). A frame that is not
  // `drawn` has the same effects on the game, but screen() is not brought up to date.
  void advance(std::uint8_t buttons, bool drawn);

  // The console's 2,048 bytes of work memory, live, to be read and written between frames.
  std::uint8_t* ram();

  // The last drawn frame as indices 0..63 into the palette, kWidth x kHeight, rows from the top.
  const std::uint8_t* screen() const;

  // The whole state. load_state() returns false, and changes nothing, for bytes that are no state
  // of this cartridge; whatever the bytes, it never reads or writes out of bounds, then or later.
  std::size_t state_size() const;
  void save_state(std::uint8_t* out) const;
  bool load_state(const std::uint8_t* in, std::size_t size);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// Red, green, blue of each of the 64 palette entries: nes-py's.
extern const std::uint8_t kPalette[64][3];

}  // namespace nes
