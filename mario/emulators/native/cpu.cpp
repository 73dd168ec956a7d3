#include "cpu.h"

namespace nes {

void Cpu::power_on(Bus& bus) {
  sp_ = 0xFD;
  flags_ = kUnused | kDecimal | kInterruptDisable;
  pc_ = static_cast<std::uint16_t>(bus.read(kReset, 0) | bus.read(kReset + 1, 0) << 8);
}

void Cpu::interrupt(Bus& bus, std::uint16_t vector) {
  std::uint8_t* stack = bus.ram() + 0x100;
  stack[sp_--] = static_cast<std::uint8_t>(pc_ >> 8);
  stack[sp_--] = static_cast<std::uint8_t>(pc_);
  stack[sp_--] = (flags_ & ~kBreak) | kUnused;
  flags_ |= kInterruptDisable;
  pc_ = static_cast<std::uint16_t>(bus.read(vector, now_) | bus.read(vector + 1, now_) << 8);
  now_ += 7;
}

}  // namespace nes
