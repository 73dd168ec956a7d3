// The CPU, a 6502 without decimal mode.
//
// An instruction takes effect in its first cycle; the CPU then waits for the remaining cycles.
#pragma once

#include <cstdint>

#include "bus.h"

namespace nes {

class Cpu {
 public:
  // Times are cycles since the start of the frame.
  void power_on(Bus& bus);
  // Executes the instructions that start before `end`, or stops early if an interrupt may be due.
  void run(Bus& bus, int end);
  void interrupt(Bus& bus, std::uint16_t vector);

  int now() const { return now_; }
  void end_frame(int cycles) { now_ -= cycles; }
  bool irq_disabled() const { return flags_ & kInterruptDisable; }

  template <typename Archive>
  void serialize(Archive& archive) {
    archive(now_), archive(pc_), archive(a_), archive(x_), archive(y_), archive(sp_);
    archive(flags_);
  }
  bool is_valid() const { return now_ >= 0 && now_ < 2000; }

  static constexpr std::uint16_t kNmi = 0xFFFA, kReset = 0xFFFC, kIrq = 0xFFFE;

 private:
  static constexpr std::uint8_t kCarry = 0x01, kZero = 0x02, kInterruptDisable = 0x04;
  static constexpr std::uint8_t kDecimal = 0x08, kBreak = 0x10, kUnused = 0x20;
  static constexpr std::uint8_t kOverflow = 0x40, kNegative = 0x80;
  class Core;

  std::int32_t now_ = 0;  // when the next instruction starts
  std::uint16_t pc_ = 0;
  std::uint8_t a_ = 0, x_ = 0, y_ = 0, sp_ = 0, flags_ = 0;
};

}  // namespace nes
