// Fuzzes the native console with invalid ROMs and states. Built with sanitizers, which abort on error.
//
// Usage: fuzz ROUNDS SEED ROM. Prints how many ROMs and states were accepted and refused.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <vector>

#include "console.h"

namespace {

using Bytes = std::vector<std::uint8_t>;

// Approximate offset of the PPU registers in a state.
constexpr unsigned kPpuFields = 2100;

struct Fuzzer {
  explicit Fuzzer(unsigned seed) : random(seed) {}

  unsigned below(std::size_t count) { return static_cast<unsigned>(random() % count); }

  // Overwrites `count` random bytes from offset `from` on.
  void damage(Bytes& bytes, std::size_t from, unsigned count) {
    if (bytes.size() <= from) return;
    for (unsigned i = 0; i < count; ++i) {
      const std::size_t offset = from + below(bytes.size() - from);
      static const std::uint8_t kEdges[] = {0, 1, 0x7F, 0x80, 0xFF};
      bytes[offset] = static_cast<std::uint8_t>(below(2) ? kEdges[below(5)] : below(256));
    }
  }

  // Returns a ROM with a valid header and random instructions.
  Bytes random_rom() {
    const unsigned prg = 1u << below(4), chr = below(3);
    Bytes rom(16 + prg * 0x4000 + chr * 0x2000);
    for (std::uint8_t& byte : rom) byte = static_cast<std::uint8_t>(below(256));
    const std::uint8_t header[16] = {'N', 'E', 'S', 0x1A, static_cast<std::uint8_t>(prg),
                                     static_cast<std::uint8_t>(chr),
                                     static_cast<std::uint8_t>(below(5) << 4 | (below(16) & 0xB))};
    std::copy(header, header + 16, rom.begin());
    // Replace instructions that halt the CPU, which would end most runs at once.
    for (std::size_t i = 16; i < rom.size(); ++i) {
      if ((rom[i] & 0x1F) == 0x12 || (rom[i] & 0x9F) == 0x02) rom[i] = 0x8D;
    }
    // Let some stores go to I/O registers.
    for (std::size_t i = 18; i < rom.size(); ++i) {
      if (rom[i - 2] == 0x8D && below(2)) {
        rom[i] = static_cast<std::uint8_t>(below(3) ? 0x20 : below(2) ? 0x40 : 0x80 + below(128));
        if (rom[i] < 0x80) rom[i - 1] = static_cast<std::uint8_t>(below(rom[i] == 0x20 ? 8 : 24));
      }
    }
    return rom;
  }

  void play(nes::Console& console, unsigned frames) {
    for (unsigned i = 0; i < frames; ++i) {
      console.advance(static_cast<std::uint8_t>(below(256)), below(2));
      for (int pixel = 0; pixel < nes::kWidth * nes::kHeight; ++pixel) {
        if (console.screen()[pixel] > 63) std::abort();
      }
    }
  }

  void try_rom(const Bytes& rom) {
    try {
      nes::Console console(rom);
      play(console, 3);
      ++roms_accepted;
      try_states(console, 4);
    } catch (const std::invalid_argument&) {
      ++roms_refused;
    }
  }

  // Returns a byte that is likely to be valid in any field.
  std::uint8_t small() { return static_cast<std::uint8_t>(below(below(4) ? 4 : 256)); }

  void try_states(nes::Console& console, unsigned count) {
    const bool with_screen = below(2);
    Bytes state(console.state_size(with_screen));
    console.save_state(state.data(), with_screen);
    for (unsigned i = 0; i < count; ++i) {
      Bytes damaged = state;
      // Keep the magic number and the digest, else no state is accepted, and most pixels.
      if (below(4) == 0) damage(damaged, 12, 1 + below(3));
      for (unsigned k = below(12); k > 0; --k) {
        const unsigned first = 12, count = 2200;
        damaged[first + below(count)] = static_cast<std::uint8_t>(below(256));
      }
      for (unsigned k = below(6); k > 0; --k) damaged[12 + below(13)] = small();
      for (unsigned k = below(8); k > 0; --k) damaged[kPpuFields + below(60)] = small();
      if (below(8) == 0) damaged.resize(below(damaged.size() + 16));
      if (console.load_state(damaged.data(), damaged.size())) {
        ++states_accepted;
        play(console, 2);
      } else {
        ++states_refused;
      }
    }
  }

  std::mt19937 random;
  unsigned roms_accepted = 0, roms_refused = 0, states_accepted = 0, states_refused = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const unsigned rounds = static_cast<unsigned>(std::atoi(argv[1]));
  Fuzzer fuzzer(static_cast<unsigned>(std::atoi(argv[2])));
  std::ifstream file(argv[3], std::ios::binary);
  const Bytes game((std::istreambuf_iterator<char>(file)), {});
  for (unsigned i = 0; i < rounds; ++i) {
    Bytes rom = fuzzer.below(2) ? fuzzer.random_rom() : game;
    if (fuzzer.below(2)) fuzzer.damage(rom, fuzzer.below(4) ? 16 : 0, fuzzer.below(200));
    if (fuzzer.below(2)) {
      Bytes header(rom.begin(), rom.begin() + 16);
      fuzzer.damage(header, 0, 1 + fuzzer.below(3));
      std::copy(header.begin(), header.end(), rom.begin());
    }
    if (fuzzer.below(8) == 0) rom.resize(fuzzer.below(rom.size()));
    fuzzer.try_rom(rom);
  }
  std::printf("%u ROMs accepted, %u refused; %u states accepted, %u refused\n", fuzzer.roms_accepted,
              fuzzer.roms_refused, fuzzer.states_accepted, fuzzer.states_refused);
}
