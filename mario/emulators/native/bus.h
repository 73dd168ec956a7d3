// What the processor reads and writes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "apu.h"
#include "cartridge.h"
#include "console.h"
#include "controller.h"
#include "ppu.h"

namespace nes {

// Times are cycles of the processor since the frame began. In a cycle the picture unit goes first.
class Bus {
 public:
  Bus(Cartridge& cartridge, Ppu& ppu) : cartridge_(cartridge), ppu_(ppu) { map(); }

  void power_on();
  void hold(std::uint8_t buttons) { controllers_[0].hold(buttons); }
  // Follows the cartridge's banks.
  void map();

  std::uint8_t read(std::uint16_t address, int now) {
    const std::uint8_t* page = pages_[address / kPage];
    return page ? page[address % kPage] : read_register(address, now);
  }
  // Returns the cycles for which the processor is kept waiting.
  int write(std::uint16_t address, std::uint8_t value, int now) {
    if (address >= 0x2000) return write_elsewhere(address, value, now);
    ram_[address % kPage] = value;
    return 0;
  }
  // Memory that does not change by being read, null for registers.
  const std::uint8_t* page(std::uint16_t address) const { return pages_[address / kPage]; }

  std::uint8_t* ram() { return ram_.data(); }
  Ppu& ppu() { return ppu_; }
  Apu& apu() { return apu_; }
  bool interrupts(int now) { return cartridge_.mapper().interrupts() || apu_.interrupts(now); }
  void end_frame(int cycles);

  template <typename Archive>
  void fields(Archive& archive) {
    archive(ram_), archive(odd_);
    controllers_[0].fields(archive), controllers_[1].fields(archive);
    apu_.fields(archive);
  }

  static constexpr std::size_t kPage = 0x800;

 private:
  std::uint8_t read_register(std::uint16_t address, int now);
  int write_elsewhere(std::uint16_t address, std::uint8_t value, int now);
  void write_picture_register(std::uint16_t address, std::uint8_t value, int now);
  int copy_sprites(std::uint8_t page, int now);

  Cartridge& cartridge_;
  Ppu& ppu_;
  Apu apu_;
  std::array<Controller, 2> controllers_;
  std::array<std::uint8_t, kRamBytes> ram_{};
  bool odd_ = true;  // whether the frame's first cycle has an odd number
  std::array<const std::uint8_t*, 0x10000 / kPage> pages_{};
};

}  // namespace nes
