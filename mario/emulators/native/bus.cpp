#include "bus.h"

namespace nes {
namespace {

constexpr int kDotsPerCycle = 3;
constexpr int kDmaCycles = 513;
constexpr std::uint8_t kZeros[0x100] = {};

int dots(int now) { return kDotsPerCycle * (now + 1); }

}  // namespace

void Bus::power_on() {
  ram_.fill(0);
  apu_ = Apu();
  controllers_ = {};
  odd_cycle_ = true;
  update_pages();
}

void Bus::update_pages() {
  for (std::size_t i = 0; i < 4; ++i) pages_[i] = ram_.data();
  const std::uint8_t* work_ram = cartridge_.work_ram();
  for (std::size_t i = 0; i < 4; ++i) pages_[12 + i] = work_ram ? work_ram + i * kPage : nullptr;
  for (std::size_t i = 0; i < 16; ++i) {
    pages_[16 + i] = cartridge_.prg_bank(i / 4) + i % 4 * kPage;
  }
}

void Bus::end_frame(int cycles) {
  ppu_.run_to(kDotsPerCycle * cycles);
  apu_.end_frame(cycles);
  odd_cycle_ ^= cycles & 1;
}

std::uint8_t Bus::read_register(std::uint16_t address, int now) {
  if (address < 0x4000) {
    switch (address & 7) {
      case 2: ppu_.run_to(dots(now)); return ppu_.read_status();
      case 4: return ppu_.read_oam_data();
      case 7: ppu_.run_to(dots(now)); return ppu_.read_data();
      default: return 0;
    }
  }
  switch (address) {
    case 0x4015: return apu_.read_status(now);
    case 0x4016: return controllers_[0].read();
    case 0x4017: return controllers_[1].read();
    default: return 0;
  }
}

int Bus::write_slow(std::uint16_t address, std::uint8_t value, int now) {
  if (address < 0x4000) {
    write_ppu_register(address, value, now);
  } else if (address == 0x4014) {
    return oam_dma(value, now);
  } else if (address == 0x4016) {
    for (Controller& controller : controllers_) controller.write(value);
  } else if (address <= 0x4017) {
    apu_.write(address, value, now);
  } else if (address >= 0x8000) {
    ppu_.run_to(dots(now));
    cartridge_.write(address, value);
    update_pages();
  } else if (address >= 0x6000 && cartridge_.work_ram()) {
    cartridge_.work_ram()[address - 0x6000] = value;
  }
  return 0;
}

void Bus::write_ppu_register(std::uint16_t address, std::uint8_t value, int now) {
  ppu_.run_to(dots(now));
  switch (address & 7) {
    case 0: ppu_.write_control(value); break;
    case 1: ppu_.write_mask(value); break;
    case 3: ppu_.write_oam_address(value); break;
    case 4: ppu_.write_oam_data(value); break;
    case 5: ppu_.write_scroll(value); break;
    case 6: ppu_.write_address(value); break;
    case 7: ppu_.write_data(value); break;
    default: break;
  }
}

int Bus::oam_dma(std::uint8_t page, int now) {
  ppu_.run_to(dots(now));
  const auto address = static_cast<std::uint16_t>(page << 8);
  const std::uint8_t* memory = this->page(address);
  ppu_.write_oam_page(memory ? memory + address % kPage : kZeros);
  const bool odd = odd_cycle_ ^ (now & 1);
  return kDmaCycles + odd;
}

}  // namespace nes
