#include "lazy_console.h"

namespace nes {
namespace {

constexpr std::size_t kPixels = kWidth * kHeight;

}  // namespace

LazyConsole::LazyConsole(const std::vector<std::uint8_t>& rom)
    : console_(rom), before_(console_.state_size()), after_(console_.state_size()) {
  console_.save_state(before_.data());
}

void LazyConsole::advance(std::uint8_t buttons, bool render) {
  if (!render) console_.save_state(before_.data());
  console_.advance(buttons, render);
  buttons_ = buttons;
  screen_ = render ? console_.screen() : nullptr;
}

const std::uint8_t* LazyConsole::screen() {
  if (screen_ == nullptr) {
    console_.save_state(after_.data());  // the game may have written to RAM since the frame
    console_.load_state(before_.data(), before_.size());
    console_.advance(buttons_, true);
    late_screen_.assign(console_.screen(), console_.screen() + kPixels);
    console_.load_state(after_.data(), after_.size());
    screen_ = late_screen_.data();
  }
  return screen_;
}

Snapshot LazyConsole::snapshot() {
  Snapshot now{std::vector<std::uint8_t>(console_.state_size()), {}};
  console_.save_state(now.state.data());
  now.screen.assign(screen(), screen() + kPixels);
  return now;
}

void LazyConsole::restore(const Snapshot& snapshot) {
  console_.load_state(snapshot.state.data(), snapshot.state.size());
  screen_ = snapshot.screen.data();
}

}  // namespace nes
