#include "rom.h"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace nes {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kHeader = 16;
constexpr std::uint64_t kPrgBank = 0x4000;
constexpr std::uint64_t kChrBank = 0x2000;
constexpr int kRam = 0x2000;  // most work RAM and CHR RAM of a cartridge
constexpr int kLastMapper = 4;
constexpr const char* kTimings[] = {"NTSC", "PAL", "multiple", "Dendy"};
constexpr const char* kConsoles[] = {"NES", "Vs. System", "PlayChoice-10", "extended"};

// What the header says; see RomHeader in rom.py.
struct Header {
  std::uint64_t prg, chr;
  int mapper, submapper = 0;
  int timing, console;  // indices of kTimings and kConsoles
  int work_ram = -1, chr_ram = -1;  // bytes; -1 if unknown
};

void refuse_if(bool condition, const std::string& message) {
  if (condition) throw std::invalid_argument(message);
}

// A number of banks, or an exponent and a multiplier.
std::uint64_t rom_bytes(int low, int high, std::uint64_t bank) {
  if (high < 0x0F) return static_cast<std::uint64_t>(high << 8 | low) * bank;
  return (std::uint64_t{1} << (low >> 2)) * static_cast<std::uint64_t>((low & 3) * 2 + 1);
}

// The size of volatile and battery-backed RAM, each 64 shifted by four bits.
int ram_bytes(int shifts) {
  const int shift = shifts & 0x0F, battery_shift = shifts >> 4;
  return (shift ? 64 << shift : 0) + (battery_shift ? 64 << battery_shift : 0);
}

// https://www.nesdev.org/wiki/NES_2.0
Header read_nes20(const Bytes& file) {
  Header header;
  header.prg = rom_bytes(file[4], file[9] & 0x0F, kPrgBank);
  header.chr = rom_bytes(file[5], file[9] >> 4, kChrBank);
  header.mapper = file[6] >> 4 | (file[7] & 0xF0) | (file[8] & 0x0F) << 8;
  header.submapper = file[8] >> 4;
  header.timing = file[12] & 0x03;
  header.console = file[7] & 0x03;
  header.work_ram = ram_bytes(file[10]);
  header.chr_ram = ram_bytes(file[11]);
  return header;
}

// https://www.nesdev.org/wiki/INES
Header read_ines(const Bytes& file) {
  // Old tools wrote a signature over bytes 7 to 15, which then mean nothing.
  const bool is_signed = std::any_of(file.begin() + 12, file.begin() + kHeader,
                                     [](std::uint8_t byte) { return byte != 0; });
  Header header;
  header.prg = file[4] * kPrgBank;
  header.chr = file[5] * kChrBank;
  header.mapper = file[6] >> 4 | (is_signed ? 0 : file[7] & 0xF0);
  header.timing = is_signed ? 0 : file[9] & 0x01;
  header.console = is_signed ? 0 : file[7] & 0x03;
  return header;
}

// Makes the checks of find_problem in rom.py, in the same order.
void check(const Header& header, bool has_trainer, std::size_t size) {
  refuse_if(header.prg == 0, "has no program");
  refuse_if(has_trainer, "has a trainer, which the emulator does not support");
  refuse_if(header.console != 0,
            std::string("is for ") + kConsoles[header.console] + " consoles, not for the NES");
  refuse_if(header.timing == 1 || header.timing == 3,
            std::string("is for ") + kTimings[header.timing] +
                " consoles, and the emulator is an NTSC console");
  refuse_if(header.mapper > kLastMapper, "needs mapper " + std::to_string(header.mapper) +
                                             ", which the emulator does not support");
  refuse_if(header.mapper == 4 && header.submapper == 1,
            "needs mapper 4 in its variant 1 (MMC6), which the emulator does not support");
  refuse_if(header.prg % kPrgBank != 0 || header.chr % kChrBank != 0,
            "has a size that is no multiple of a bank");
  refuse_if(std::max(header.work_ram, header.chr_ram) > kRam,
            "has more RAM than the " + std::to_string(kRam) + " bytes that the emulator supports");
  refuse_if(size < kHeader || size - kHeader < header.prg || size - kHeader - header.prg < header.chr,
            "is cut off: " + std::to_string(size) + " bytes of " +
                std::to_string(kHeader + header.prg + header.chr));
}

std::uint64_t fnv1a(const Bytes& bytes) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001B3U;
  return hash;
}

Mirroring mirroring_of(std::uint8_t flags) {
  if (flags & 0x08) return Mirroring::kFourScreens;
  return flags & 0x01 ? Mirroring::kVertical : Mirroring::kHorizontal;
}

}  // namespace

Rom read_rom(const Bytes& file) {
  static constexpr std::uint8_t kMagic[] = {'N', 'E', 'S', 0x1A};
  refuse_if(file.size() < sizeof kMagic || !std::equal(kMagic, kMagic + 4, file.begin()),
            "is not an iNES ROM file");
  refuse_if(file.size() < kHeader, "is cut off within its header");
  const Header header = (file[7] & 0x0C) == 0x08 ? read_nes20(file) : read_ines(file);
  const std::uint8_t flags = file[6];
  check(header, flags & 0x04, file.size());
  Rom rom;
  rom.mapper = static_cast<std::uint8_t>(header.mapper);
  const auto prg = file.begin() + kHeader;
  const auto chr = prg + static_cast<std::ptrdiff_t>(header.prg);
  rom.prg.assign(prg, chr);
  rom.chr.assign(chr, chr + static_cast<std::ptrdiff_t>(header.chr));
  rom.mirroring = mirroring_of(flags);
  // An iNES header only marks battery-backed RAM. Boards of mappers 1 and 4 often have RAM without
  // a battery.
  rom.work_ram = header.work_ram >= 0 ? header.work_ram > 0
                                      : (flags & 0x02) || rom.mapper == 1 || rom.mapper == 4;
  rom.digest = fnv1a(file);
  return rom;
}

}  // namespace nes
