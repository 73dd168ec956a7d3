// As much of the sound unit as a game can notice: its status and its interrupts.
#pragma once

#include <array>
#include <cstdint>

namespace nes {

// Times are cycles of the processor since the frame began.
class Apu {
 public:
  static constexpr std::int32_t kNever = INT32_MAX;

  void write(std::uint16_t address, std::uint8_t value, int now);
  std::uint8_t read_status(int now);
  // Asks for interrupts that are due; whether any has not been seen to.
  bool interrupts(int now) {
    run_to(now);
    return frame_flag_ || sample_flag_;
  }
  // When the next interrupt may be asked for, or kNever.
  int next_interrupt() const;
  void end_frame(int cycles);

  template <typename Archive>
  void fields(Archive& archive) {
    archive(sequence_start_), archive(second_half_), archive(five_steps_);
    archive(inhibited_), archive(frame_flag_);
    archive(enabled_), archive(lengths_);
    archive(sample_end_), archive(sample_flag_), archive(sample_control_), archive(sample_length_);
  }
  bool is_valid() const;

 private:
  void run_to(int now);
  int next_step() const;
  void take_step();
  void start_sample(int now);
  void finish_sample();

  std::int32_t sequence_start_ = 0;
  bool second_half_ = false, five_steps_ = false, inhibited_ = false, frame_flag_ = false;
  std::uint8_t enabled_ = 0;
  std::array<std::uint8_t, 8> lengths_{};  // of four channels, and whether each stands still
  std::int32_t sample_end_ = kNever;
  bool sample_flag_ = false;
  std::uint8_t sample_control_ = 0, sample_length_ = 0;
};

}  // namespace nes
