#include "lazy_console.h"

namespace nes {

LazyConsole::LazyConsole(const std::vector<std::uint8_t>& rom)
    : console_(rom), before_(console_.state_size(false)), after_(before_.size()) {
  console_.save_state(before_.data(), false);
}

void LazyConsole::advance(std::uint8_t buttons, bool render) {
  console_.save_state(before_.data(), false);
  console_.advance(buttons, render);
  buttons_ = buttons;
  is_rendered_ = render;
}

const std::uint8_t* LazyConsole::screen() {
  if (!is_rendered_) {
    console_.save_state(after_.data(), false);  // the game may have written to RAM since the frame
    console_.load_state(before_.data(), before_.size());
    console_.advance(buttons_, true);
    console_.load_state(after_.data(), after_.size());
    is_rendered_ = true;
  }
  return console_.screen();
}

void LazyConsole::save(Snapshot& snapshot) const {
  snapshot.state.resize(before_.size());
  console_.save_state(snapshot.state.data(), false);
  snapshot.before = before_;
  snapshot.buttons = buttons_;
}

bool LazyConsole::load(const Snapshot& snapshot) {
  const auto load_state = [this](const std::vector<std::uint8_t>& state) {
    return console_.load_state(state.data(), state.size());
  };
  console_.save_state(after_.data(), false);
  // The state before the frame is checked here, because screen() cannot report an error.
  if (!load_state(snapshot.before) || !load_state(snapshot.state)) {
    load_state(after_);
    return false;
  }
  before_ = snapshot.before;
  buttons_ = snapshot.buttons;
  is_rendered_ = false;
  return true;
}

}  // namespace nes
