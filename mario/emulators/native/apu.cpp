#include "apu.h"

#include <algorithm>
#include <cstddef>

namespace nes {
namespace {

// https://www.nesdev.org/wiki/APU_Length_Counter
constexpr std::uint8_t kLengths[32] = {10, 254, 20, 2,  40, 4,  80, 6,  160, 8,  60,
                                       10, 14,  12, 26, 14, 12, 16, 24, 18,  48, 20,
                                       96, 22,  192, 24, 72, 26, 16, 28, 32,  30};
// https://www.nesdev.org/wiki/APU_DMC, cycles per bit
constexpr int kDmcPeriods[16] = {428, 380, 340, 320, 286, 254, 226, 214,
                                    190, 160, 142, 128, 106, 84,  72,  54};
constexpr int kMaxDmcCycles = 255 * 128 * 428 + 8 * 428;
// https://www.nesdev.org/wiki/APU_Frame_Counter
constexpr int kHalfFrame = 14913;
constexpr int kFourStepSequence = 29829;
constexpr int kFiveStepSequence = 37281;

constexpr std::size_t kChannels = 4;
constexpr std::uint8_t kDmc = 0x10;
constexpr std::uint8_t kDmcLoop = 0x40;
constexpr std::uint8_t kDmcIrqEnabled = 0x80;

}  // namespace

bool Apu::is_valid() const {
  return sequence_start_ <= 0 && sequence_start_ >= -kFiveStepSequence && dmc_end_ >= 0 &&
         (dmc_end_ == kNever || dmc_end_ <= kMaxDmcCycles);
}

int Apu::next_half_frame() const {
  if (!second_half_) return sequence_start_ + kHalfFrame;
  return sequence_start_ + (five_steps_ ? kFiveStepSequence : kFourStepSequence);
}

void Apu::clock_half_frame() {
  for (std::size_t i = 0; i < kChannels; ++i) {
    if (length_counters_[i] > 0 && !length_counters_[i + kChannels]) --length_counters_[i];
  }
  if (second_half_) {
    if (!five_steps_ && !irq_inhibited_) frame_irq_ = true;
    sequence_start_ = next_half_frame() + 1;
  }
  second_half_ = !second_half_;
}

void Apu::run_to(int now) {
  while (next_half_frame() <= now) clock_half_frame();
  while (dmc_end_ <= now) finish_dmc();
}

int Apu::next_irq() const {
  const bool frame = !five_steps_ && !irq_inhibited_;
  const bool sample = (dmc_control_ & kDmcIrqEnabled) && !(dmc_control_ & kDmcLoop);
  return std::min(frame ? sequence_start_ + kFourStepSequence : kNever, sample ? dmc_end_ : kNever);
}

void Apu::end_frame(int cycles) {
  run_to(cycles);
  sequence_start_ -= cycles;
  if (dmc_end_ != kNever) dmc_end_ -= cycles;
}

void Apu::start_dmc(int now) {
  dmc_end_ = now + (16 * dmc_length_ + 1) * 8 * kDmcPeriods[dmc_control_ & 15];
}

void Apu::finish_dmc() {
  if (dmc_control_ & kDmcLoop) {
    start_dmc(dmc_end_);
    return;
  }
  dmc_end_ = kNever;
  if (dmc_control_ & kDmcIrqEnabled) dmc_irq_ = true;
}

std::uint8_t Apu::read_status(int now) {
  run_to(now);
  int status = frame_irq_ << 6 | dmc_irq_ << 7 | (dmc_end_ != kNever ? kDmc : 0);
  for (std::size_t i = 0; i < kChannels; ++i) status |= (length_counters_[i] > 0) << i;
  frame_irq_ = false;
  return static_cast<std::uint8_t>(status);
}

void Apu::write(std::uint16_t address, std::uint8_t value, int now) {
  run_to(now);
  const std::size_t channel = address >> 2 & 3;
  switch (address) {
    case 0x4000: case 0x4004: case 0x400C:
      length_counters_[channel + kChannels] = value >> 5 & 1;
      break;
    case 0x4008:
      length_counters_[channel + kChannels] = value >> 7;
      break;
    case 0x4003: case 0x4007: case 0x400B: case 0x400F:
      if (enabled_ >> channel & 1) length_counters_[channel] = kLengths[value >> 3];
      break;
    case 0x4010:
      dmc_control_ = value;
      if (!(value & kDmcIrqEnabled)) dmc_irq_ = false;
      break;
    case 0x4013:
      dmc_length_ = value;
      break;
    case 0x4015:
      enabled_ = value;
      dmc_irq_ = false;
      for (std::size_t i = 0; i < kChannels; ++i) {
        if (!(value >> i & 1)) length_counters_[i] = 0;
      }
      if (!(value & kDmc)) dmc_end_ = kNever;
      else if (dmc_end_ == kNever) start_dmc(now);
      break;
    case 0x4017:
      five_steps_ = value & 0x80;
      irq_inhibited_ = value & 0x40;
      if (irq_inhibited_) frame_irq_ = false;
      sequence_start_ = now;
      second_half_ = false;
      break;
    default:
      break;
  }
}

}  // namespace nes
