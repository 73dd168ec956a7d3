#include "lazy_console.h"

namespace nes {
namespace {

constexpr std::size_t kPixels = kWidth * kHeight;

}  // namespace

LazyConsole::LazyConsole(const std::vector<std::uint8_t>& rom)
    : console_(rom), before_(console_.state_size()), after_(console_.state_size()) {
  console_.save_state(before_.data());
}

void LazyConsole::advance(std::uint8_t buttons, bool drawn) {
  if (!drawn) console_.save_state(before_.data());
  console_.advance(buttons, drawn);
  buttons_ = buttons;
  screen_ = drawn ? console_.screen() : nullptr;
}

const std::uint8_t* LazyConsole::screen() {
  if (screen_ == nullptr) {
    console_.save_state(after_.data());  // the game may have written to memory since
    console_.load_state(before_.data(), before_.size());
    console_.advance(buttons_, true);
    drawn_.assign(console_.screen(), console_.screen() + kPixels);
    console_.load_state(after_.data(), after_.size());
    screen_ = drawn_.data();
  }
  return screen_;
}

Moment LazyConsole::moment() {
  Moment now{std::vector<std::uint8_t>(console_.state_size()), {}};
  console_.save_state(now.state.data());
  now.screen.assign(screen(), screen() + kPixels);
  return now;
}

void LazyConsole::go_to(const Moment& moment) {
  console_.load_state(moment.state.data(), moment.state.size());
  screen_ = moment.screen.data();
}

}  // namespace nes
