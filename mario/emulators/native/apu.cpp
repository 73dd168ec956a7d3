#include "apu.h"

#include <algorithm>
#include <cstddef>

namespace nes {
namespace {

// https://www.nesdev.org/wiki/APU_Length_Counter
constexpr std::uint8_t kLengths[32] = {10, 254, 20, 2,  40, 4,  80, 6,  160, 8,  60,
                                       10, 14,  12, 26, 14, 12, 16, 24, 18,  48, 20,
                                       96, 22,  192, 24, 72, 26, 16, 28, 32,  30};
// https://www.nesdev.org/wiki/APU_DMC, cycles for each bit
constexpr int kSamplePeriods[16] = {428, 380, 340, 320, 286, 254, 226, 214,
                                    190, 160, 142, 128, 106, 84,  72,  54};
constexpr int kLongestSample = 255 * 128 * 428 + 8 * 428;
// https://www.nesdev.org/wiki/APU_Frame_Counter
constexpr int kHalfFrame = 14913;
constexpr int kFourSteps = 29829;
constexpr int kFiveSteps = 37281;

constexpr std::size_t kChannels = 4;
constexpr std::uint8_t kSample = 0x10;
constexpr std::uint8_t kLoops = 0x40;
constexpr std::uint8_t kAsks = 0x80;

}  // namespace

bool Apu::is_valid() const {
  return sequence_start_ <= 0 && sequence_start_ >= -kFiveSteps && sample_end_ >= 0 &&
         (sample_end_ == kNever || sample_end_ <= kLongestSample);
}

int Apu::next_step() const {
  if (!second_half_) return sequence_start_ + kHalfFrame;
  return sequence_start_ + (five_steps_ ? kFiveSteps : kFourSteps);
}

void Apu::take_step() {
  for (std::size_t i = 0; i < kChannels; ++i) {
    if (lengths_[i] > 0 && !lengths_[i + kChannels]) --lengths_[i];
  }
  if (second_half_) {
    if (!five_steps_ && !inhibited_) frame_flag_ = true;
    sequence_start_ = next_step() + 1;
  }
  second_half_ = !second_half_;
}

void Apu::run_to(int now) {
  while (next_step() <= now) take_step();
  while (sample_end_ <= now) finish_sample();
}

int Apu::next_interrupt() const {
  const bool frame = !five_steps_ && !inhibited_;
  const bool sample = (sample_control_ & kAsks) && !(sample_control_ & kLoops);
  return std::min(frame ? sequence_start_ + kFourSteps : kNever, sample ? sample_end_ : kNever);
}

void Apu::end_frame(int cycles) {
  run_to(cycles);
  sequence_start_ -= cycles;
  if (sample_end_ != kNever) sample_end_ -= cycles;
}

void Apu::start_sample(int now) {
  sample_end_ = now + (16 * sample_length_ + 1) * 8 * kSamplePeriods[sample_control_ & 15];
}

void Apu::finish_sample() {
  if (sample_control_ & kLoops) {
    start_sample(sample_end_);
    return;
  }
  sample_end_ = kNever;
  if (sample_control_ & kAsks) sample_flag_ = true;
}

std::uint8_t Apu::read_status(int now) {
  run_to(now);
  int status = frame_flag_ << 6 | sample_flag_ << 7 | (sample_end_ != kNever ? kSample : 0);
  for (std::size_t i = 0; i < kChannels; ++i) status |= (lengths_[i] > 0) << i;
  frame_flag_ = false;
  return static_cast<std::uint8_t>(status);
}

void Apu::write(std::uint16_t address, std::uint8_t value, int now) {
  run_to(now);
  const std::size_t channel = address >> 2 & 3;
  switch (address) {
    case 0x4000: case 0x4004: case 0x400C:
      lengths_[channel + kChannels] = value >> 5 & 1;
      break;
    case 0x4008:
      lengths_[channel + kChannels] = value >> 7;
      break;
    case 0x4003: case 0x4007: case 0x400B: case 0x400F:
      if (enabled_ >> channel & 1) lengths_[channel] = kLengths[value >> 3];
      break;
    case 0x4010:
      sample_control_ = value;
      if (!(value & kAsks)) sample_flag_ = false;
      break;
    case 0x4013:
      sample_length_ = value;
      break;
    case 0x4015:
      enabled_ = value;
      sample_flag_ = false;
      for (std::size_t i = 0; i < kChannels; ++i) {
        if (!(value >> i & 1)) lengths_[i] = 0;
      }
      if (!(value & kSample)) sample_end_ = kNever;
      else if (sample_end_ == kNever) start_sample(now);
      break;
    case 0x4017:
      five_steps_ = value & 0x80;
      inhibited_ = value & 0x40;
      if (inhibited_) frame_flag_ = false;
      sequence_start_ = now;
      second_half_ = false;
      break;
    default:
      break;
  }
}

}  // namespace nes
