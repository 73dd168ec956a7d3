// The contents of a ROM file with an iNES or NES 2.0 header.
#pragma once

#include <cstdint>
#include <vector>

namespace nes {

enum class Mirroring : std::uint8_t { kHorizontal, kVertical, kLower, kUpper, kFourScreens };

struct Rom {
  std::vector<std::uint8_t> prg;  // 16 kB banks
  std::vector<std::uint8_t> chr;  // 8 kB banks; empty if the cartridge has CHR RAM
  std::uint8_t mapper = 0;
  Mirroring mirroring = Mirroring::kHorizontal;
  bool work_ram = false;     // 8 kB at $6000
  std::uint64_t digest = 0;  // of the file, to refuse states of other games
};

// Throws std::invalid_argument with a one-line message if the file cannot be played.
Rom read_rom(const std::vector<std::uint8_t>& file);

}  // namespace nes
