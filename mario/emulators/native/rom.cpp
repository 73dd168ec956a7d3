#include "rom.h"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace nes {
namespace {

constexpr std::size_t kHeader = 16;
constexpr std::size_t kPrgBank = 0x4000;
constexpr std::size_t kChrBank = 0x2000;
constexpr std::uint8_t kLastMapper = 4;

void refuse_if(bool condition, const std::string& message) {
  if (condition) throw std::invalid_argument(message);
}

std::uint64_t fnv1a(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001B3U;
  return hash;
}

Mirroring mirroring_of(std::uint8_t flags) {
  if (flags & 0x08) return Mirroring::kFourScreens;
  return flags & 0x01 ? Mirroring::kVertical : Mirroring::kHorizontal;
}

}  // namespace

// https://www.nesdev.org/wiki/INES
Rom read_rom(const std::vector<std::uint8_t>& file) {
  static constexpr std::uint8_t kMagic[] = {'N', 'E', 'S', 0x1A};
  refuse_if(file.size() < sizeof kMagic || !std::equal(kMagic, kMagic + 4, file.begin()),
            "is not an iNES ROM file");
  refuse_if(file.size() < kHeader, "is cut off within its header");
  const std::uint8_t flags = file[6];
  // Old tools wrote a signature over the last bytes, which include the mapper's upper four bits.
  const bool is_signed = std::any_of(file.begin() + 12, file.begin() + kHeader,
                                     [](std::uint8_t byte) { return byte != 0; });
  Rom rom;
  rom.mapper = static_cast<std::uint8_t>(flags >> 4 | (is_signed ? 0 : file[7] & 0xF0));
  const std::size_t prg = file[4] * kPrgBank;
  const std::size_t chr = file[5] * kChrBank;
  refuse_if(prg == 0, "has no program");
  refuse_if(flags & 0x04, "has a trainer, which the emulator does not support");
  refuse_if(file[9] & 0x01, "is for PAL consoles, and the emulator is an NTSC console");
  refuse_if(rom.mapper > kLastMapper,
            "needs mapper " + std::to_string(rom.mapper) + ", which the emulator does not support");
  refuse_if(file.size() < kHeader + prg + chr,
            "is cut off: " + std::to_string(file.size()) + " bytes of " +
                std::to_string(kHeader + prg + chr));
  const auto start = file.begin() + kHeader;
  rom.prg.assign(start, start + static_cast<std::ptrdiff_t>(prg));
  rom.chr.assign(start + static_cast<std::ptrdiff_t>(prg),
                 start + static_cast<std::ptrdiff_t>(prg + chr));
  rom.mirroring = mirroring_of(flags);
  // The header only marks battery-backed RAM. Boards of mappers 1 and 4 often have RAM without a
  // battery.
  rom.work_ram = (flags & 0x02) || rom.mapper == 1 || rom.mapper == 4;
  rom.digest = fnv1a(file);
  return rom;
}

}  // namespace nes
