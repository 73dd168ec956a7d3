// The audio processing unit, without sound: only its status register and its interrupts.
#pragma once

#include <array>
#include <cstdint>

namespace nes {

// Times are CPU cycles since the start of the frame.
class Apu {
 public:
  static constexpr std::int32_t kNever = INT32_MAX;

  void write(std::uint16_t address, std::uint8_t value, int now);
  std::uint8_t read_status(int now);
  // Whether an interrupt is requested and not yet acknowledged.
  bool irq_pending(int now) {
    run_to(now);
    return frame_irq_ || dmc_irq_;
  }
  // Earliest time of the next interrupt request, or kNever.
  int next_irq() const;
  void end_frame(int cycles);

  template <typename Archive>
  void serialize(Archive& archive) {
    archive(sequence_start_), archive(second_half_), archive(five_steps_);
    archive(irq_inhibited_), archive(frame_irq_);
    archive(enabled_), archive(length_counters_);
    archive(dmc_end_), archive(dmc_irq_), archive(dmc_control_), archive(dmc_length_);
  }
  bool is_valid() const;

 private:
  void run_to(int now);
  int next_half_frame() const;
  void clock_half_frame();
  void start_dmc(int now);
  void finish_dmc();

  std::int32_t sequence_start_ = 0;
  bool second_half_ = false, five_steps_ = false, irq_inhibited_ = false, frame_irq_ = false;
  std::uint8_t enabled_ = 0;
  std::array<std::uint8_t, 8> length_counters_{};  // of four channels, then whether each is halted
  std::int32_t dmc_end_ = kNever;
  bool dmc_irq_ = false;
  std::uint8_t dmc_control_ = 0, dmc_length_ = 0;
};

}  // namespace nes
