#include "rom.h"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace nes {
namespace {

constexpr std::size_t kHeader = 16;
constexpr std::size_t kProgramBank = 0x4000;
constexpr std::size_t kPictureBank = 0x2000;
constexpr std::uint8_t kLastMapper = 4;

void refuse_if(bool fault, const std::string& message) {
  if (fault) throw std::invalid_argument(message);
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
  // Old tools signed their work in the last bytes, the high half of the mapper's number included.
  const bool is_signed = std::any_of(file.begin() + 12, file.begin() + kHeader,
                                     [](std::uint8_t byte) { return byte != 0; });
  Rom rom;
  rom.mapper = static_cast<std::uint8_t>(flags >> 4 | (is_signed ? 0 : file[7] & 0xF0));
  const std::size_t program = file[4] * kProgramBank;
  const std::size_t pictures = file[5] * kPictureBank;
  refuse_if(program == 0, "has no program");
  refuse_if(flags & 0x04, "has a trainer, which the emulator does not support");
  refuse_if(file[9] & 0x01, "is for PAL consoles, and the emulator is an NTSC console");
  refuse_if(rom.mapper > kLastMapper,
            "needs mapper " + std::to_string(rom.mapper) + ", which the emulator does not support");
  refuse_if(file.size() < kHeader + program + pictures,
            "is cut off: " + std::to_string(file.size()) + " bytes of " +
                std::to_string(kHeader + program + pictures));
  const auto start = file.begin() + kHeader;
  rom.program.assign(start, start + static_cast<std::ptrdiff_t>(program));
  rom.pictures.assign(start + static_cast<std::ptrdiff_t>(program),
                      start + static_cast<std::ptrdiff_t>(program + pictures));
  rom.mirroring = mirroring_of(flags);
  // Headers mark memory that a battery keeps; boards of mappers 1 and 4 often have some without.
  rom.work_ram = (flags & 0x02) || rom.mapper == 1 || rom.mapper == 4;
  rom.digest = fnv1a(file);
  return rom;
}

}  // namespace nes
