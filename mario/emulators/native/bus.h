// The CPU's address space: RAM, registers and the cartridge.
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

// Times are CPU cycles since the start of the frame. Within a cycle, the PPU runs before the CPU.
class Bus {
 public:
  Bus(Cartridge& cartridge, Ppu& ppu) : cartridge_(cartridge), ppu_(ppu) { update_pages(); }

  void power_on();
  void hold_buttons(std::uint8_t buttons) { controllers_[0].hold_buttons(buttons); }
  // Maps the cartridge's current banks.
  void update_pages();

  std::uint8_t read(std::uint16_t address, int now) {
    const std::uint8_t* page = pages_[address / kPage];
    return page ? page[address % kPage] : read_register(address, now);
  }
  // Returns the number of cycles for which the CPU is halted.
  int write(std::uint16_t address, std::uint8_t value, int now) {
    if (address >= 0x2000) return write_slow(address, value, now);
    ram_[address % kPage] = value;
    return 0;
  }
  // Memory at the address, or null for registers, which reading may change.
  const std::uint8_t* page(std::uint16_t address) const { return pages_[address / kPage]; }

  std::uint8_t* ram() { return ram_.data(); }
  Ppu& ppu() { return ppu_; }
  Apu& apu() { return apu_; }
  bool irq_pending(int now) {
    return cartridge_.mapper().irq_pending() || apu_.irq_pending(now);
  }
  void end_frame(int cycles);

  template <typename Archive>
  void serialize(Archive& archive) {
    archive(ram_), archive(odd_cycle_);
    controllers_[0].serialize(archive), controllers_[1].serialize(archive);
    apu_.serialize(archive);
  }

  static constexpr std::size_t kPage = 0x800;

 private:
  std::uint8_t read_register(std::uint16_t address, int now);
  int write_slow(std::uint16_t address, std::uint8_t value, int now);
  void write_ppu_register(std::uint16_t address, std::uint8_t value, int now);
  int oam_dma(std::uint8_t page, int now);

  Cartridge& cartridge_;
  Ppu& ppu_;
  Apu apu_;
  std::array<Controller, 2> controllers_;
  std::array<std::uint8_t, kRamBytes> ram_{};
  bool odd_cycle_ = true;  // whether the first cycle of the frame is odd
  std::array<const std::uint8_t*, 0x10000 / kPage> pages_{};
};

}  // namespace nes
