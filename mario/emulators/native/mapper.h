// The circuit of a cartridge: which banks the console sees, and a counter of lines.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "rom.h"

namespace nes {

// Numbers of banks; who uses them takes them modulo the number of banks there are, and a negative
// one counts from the last.
struct Banks {
  std::array<int, 4> program;   // 8 kB each, at $8000
  std::array<int, 8> pictures;  // 1 kB each, at 0
  Mirroring mirroring;
};

class Mapper {
 public:
  virtual ~Mapper() = default;
  // Writes of the game at $8000 and above.
  virtual void write(std::uint16_t address, std::uint8_t value) = 0;
  virtual Banks banks() const = 0;
  // What MMC3 counts: a line has been drawn.
  virtual void count_line() {}
  virtual bool counts_lines() const { return false; }
  virtual bool interrupts() const { return false; }

  // All of a mapper's state. Any value of any byte is harmless.
  std::array<std::uint8_t, 16> registers{};
};

std::unique_ptr<Mapper> make_mapper(const Rom& rom);

}  // namespace nes
