// What an iNES ROM file holds.
#pragma once

#include <cstdint>
#include <vector>

namespace nes {

enum class Mirroring : std::uint8_t { kHorizontal, kVertical, kLower, kUpper, kFourScreens };

struct Rom {
  std::vector<std::uint8_t> program;   // 16 kB banks
  std::vector<std::uint8_t> pictures;  // 8 kB banks; none if the cartridge draws its own
  std::uint8_t mapper = 0;
  Mirroring mirroring = Mirroring::kHorizontal;
  bool work_ram = false;     // 8 kB at $6000
  std::uint64_t digest = 0;  // of the whole file, so that a state is not given to another game
};

// Throws std::invalid_argument, its message one line, for a file that cannot be played.
Rom read_rom(const std::vector<std::uint8_t>& file);

}  // namespace nes
