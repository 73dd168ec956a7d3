// A controller: eight buttons, read one at a time.
#pragma once

#include <cstdint>

namespace nes {

class Controller {
 public:
  void hold(std::uint8_t buttons) { buttons_ = buttons; }
  void write(std::uint8_t value) {
    strobe_ = value & 1;
    if (!strobe_) unread_ = buttons_;
  }
  std::uint8_t read() {
    if (strobe_) return 0x40 | (buttons_ & 1);
    const std::uint8_t bit = unread_ & 1;
    unread_ >>= 1;
    return 0x40 | bit;
  }

  template <typename Archive>
  void fields(Archive& archive) {
    archive(strobe_);
    archive(buttons_);
    archive(unread_);
  }

 private:
  bool strobe_ = true;
  std::uint8_t buttons_ = 0, unread_ = 0;
};

}  // namespace nes
