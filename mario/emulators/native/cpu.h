// The processor, a 6502 without decimal arithmetic.
//
// An instruction does all it does in its first cycle, and the processor waits for the rest.
#pragma once

#include <cstdint>

#include "bus.h"

namespace nes {

class Cpu {
 public:
  // Times are cycles since the frame began.
  void power_on(Bus& bus);
  // Carries out the instructions that begin before a time, or until an interrupt may be due.
  void run(Bus& bus, int end);
  void interrupt(Bus& bus, std::uint16_t vector);

  int now() const { return now_; }
  void end_frame(int cycles) { now_ -= cycles; }
  bool is_masked() const { return flags_ & kMask; }

  template <typename Archive>
  void fields(Archive& archive) {
    archive(now_), archive(pc_), archive(a_), archive(x_), archive(y_), archive(sp_);
    archive(flags_);
  }
  bool is_valid() const { return now_ >= 0 && now_ < 2000; }

  static constexpr std::uint16_t kNmi = 0xFFFA, kReset = 0xFFFC, kIrq = 0xFFFE;

 private:
  static constexpr std::uint8_t kCarry = 0x01, kZero = 0x02, kMask = 0x04, kDecimal = 0x08;
  static constexpr std::uint8_t kBreak = 0x10, kUnused = 0x20, kOverflow = 0x40, kNegative = 0x80;
  class Core;

  std::int32_t now_ = 0;  // when the next instruction begins
  std::uint16_t pc_ = 0;
  std::uint8_t a_ = 0, x_ = 0, y_ = 0, sp_ = 0, flags_ = 0;
};

}  // namespace nes
