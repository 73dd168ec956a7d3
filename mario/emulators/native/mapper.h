// Mappers: the circuits of a cartridge that select banks and, in one case, count scanlines.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "rom.h"

namespace nes {

// Selected bank numbers. They are taken modulo the number of banks; negative numbers count from the
// last bank.
struct Banks {
  std::array<int, 4> prg;  // 8 kB each, from $8000 on
  std::array<int, 8> chr;  // 1 kB each, from PPU address 0 on
  Mirroring mirroring;
};

class Mapper {
 public:
  virtual ~Mapper() = default;
  // A write by the CPU to $8000 or above.
  virtual void write(std::uint16_t address, std::uint8_t value) = 0;
  virtual Banks banks() const = 0;
  // Called when bit 12 of the PPU's address rises: once per rendered scanline, and by registers.
  virtual void clock_counter() {}
  virtual bool counts_scanlines() const { return false; }
  virtual bool irq_pending() const { return false; }

  // The complete state of the mapper. Every value of every byte is valid.
  std::array<std::uint8_t, 16> registers{};
};

std::unique_ptr<Mapper> make_mapper(const Rom& rom);

}  // namespace nes
