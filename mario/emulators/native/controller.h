// A controller, whose eight buttons are read one bit at a time.
#pragma once

#include <cstdint>

namespace nes {

class Controller {
 public:
  void hold_buttons(std::uint8_t buttons) { buttons_ = buttons; }
  void write(std::uint8_t value) {
    strobe_ = value & 1;
    if (!strobe_) shift_register_ = buttons_;
  }
  std::uint8_t read() {
    if (strobe_) return 0x40 | (buttons_ & 1);
    const std::uint8_t bit = shift_register_ & 1;
    shift_register_ >>= 1;
    return 0x40 | bit;
  }

  template <typename Archive>
  void serialize(Archive& archive) {
    archive(strobe_);
    archive(buttons_);
    archive(shift_register_);
  }

 private:
  bool strobe_ = true;
  std::uint8_t buttons_ = 0, shift_register_ = 0;
};

}  // namespace nes
