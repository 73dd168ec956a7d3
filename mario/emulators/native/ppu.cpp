#include "ppu.h"

#include <algorithm>

namespace nes {
namespace {

constexpr int kColumns = 341;
constexpr int kRows = 262;
constexpr int kFirstLine = 1;  // the row of the picture's first line
constexpr int kRest = 241;
constexpr int kBlank = 242;
constexpr int kLastColumn = kColumns - 1;
constexpr int kShortColumn = 339;  // where an odd frame may leave out a dot
constexpr int kLineCounted = 260;
constexpr std::uint8_t kBlack = 0x0F;

}  // namespace

void Ppu::power_on() {
  row_ = 0;
  column_ = -1;  // nes-py's very first row has a dot more
  even_frame_ = true;
  vblank_ = zero_hit_ = interrupt_ = false;
  address_ = next_address_ = 0;
  fine_x_ = buffer_ = last_status_ = sprite_address_ = 0;
  second_write_ = asks_interrupt_ = tall_ = background_page_ = sprite_page_ = false;
  column_step_ = hides_left_background_ = hides_left_sprites_ = chosen_late_ = false;
  shows_background_ = shows_sprites_ = true;
  chosen_count_ = 0;
  chosen_row_ = 0;
  chosen_.fill(0);
  sprites_.fill(0);
  names_.fill(0);
  palette_.fill(0);
  screen_.fill(kBlack);
}

bool Ppu::is_valid() const {
  return row_ >= 0 && row_ < kRows && column_ >= -1 && column_ < kColumns && fine_x_ < 8 &&
         chosen_count_ <= chosen_.size() && chosen_row_ >= 0 && chosen_row_ < kHeight &&
         std::all_of(chosen_.begin(), chosen_.end(), [](std::uint8_t i) { return i < 64; }) &&
         std::all_of(screen_.begin(), screen_.end(), [](std::uint8_t i) { return i < 64; });
}

int Ppu::row_length() const {
  const bool is_short = row_ == 0 && !even_frame_ && renders() && column_ <= kShortColumn;
  return is_short ? kShortColumn + 1 : kColumns;
}

void Ppu::run_to(int time) {
  while (time_ < time) {
    const int length = row_length();
    const int end = std::min(length, column_ + time - time_);
    time_ += end - column_;
    run_row(end);
    column_ = end;
    if (column_ == length) next_row();
  }
}

void Ppu::next_row() {
  column_ = 0;
  if (++row_ < kRows) return;
  row_ = 0;
  even_frame_ = !even_frame_;
}

// The dots of this row from column_ to before `end`.
void Ppu::run_row(int end) {
  const auto passes = [&](int column) { return column_ <= column && column < end; };
  if (row_ < kRest) {
    if (row_ >= kFirstLine) {
      run_picture_row(end);
    } else {
      if (passes(0)) vblank_ = zero_hit_ = false;
      if (renders() && passes(257)) copy_columns();
      if (renders() && column_ <= 303 && end > 280) copy_rows();
    }
    if (passes(kLineCounted) && renders()) cartridge_.mapper().count_line();
  } else if (row_ == kBlank && passes(0)) {
    vblank_ = true;
    interrupt_ = asks_interrupt_;
  }
}

void Ppu::run_picture_row(int end) {
  const int line = row_ - kFirstLine;
  if (column_ < kWidth) {
    const int last = std::min(end, kWidth);
    if (drawn_) {
      draw(line, column_, last);
    } else if (!zero_hit_ && renders() && zero_chosen()) {
      find_zero_hit(line, column_, last);
    }
    if (shows_background_) step_columns(column_, last);
  }
  if (shows_background_ && column_ <= 256 && end > 256) step_row();
  if (renders() && column_ <= 257 && end > 257) copy_columns();
  if (end > kLastColumn) {
    chosen_late_ = true;
    chosen_row_ = line;
  }
}

// The background's address moves on a tile whenever a column of it is the tile's last.
void Ppu::step_columns(int begin, int end) {
  const int steps = (fine_x_ + end) / 8 - (fine_x_ + begin) / 8;
  const int column = (address_ & 0x1F) + steps;
  if (column / 32 % 2) address_ ^= 0x0400;
  address_ = static_cast<std::uint16_t>((address_ & ~0x1F) | (column & 0x1F));
}

void Ppu::step_row() {
  if ((address_ & 0x7000) != 0x7000) {
    address_ += 0x1000;
    return;
  }
  int row = address_ >> 5 & 0x1F;
  if (row == 29) address_ ^= 0x0800;
  row = row == 29 || row == 31 ? 0 : row + 1;
  address_ = static_cast<std::uint16_t>((address_ & ~0x73E0) | row << 5);
}

void Ppu::choose_sprites() {
  if (!chosen_late_) return;
  chosen_late_ = false;
  chosen_count_ = 0;
  const int height = tall_ ? 16 : 8;
  for (int i = sprite_address_ / 4; i < 64 && chosen_count_ < chosen_.size(); ++i) {
    const int below = chosen_row_ - sprites_[static_cast<std::size_t>(4 * i)];
    if (0 <= below && below < height) chosen_[chosen_count_++] = static_cast<std::uint8_t>(i);
  }
}

// Whether sprite zero is among the sprites of the row to come.
bool Ppu::zero_chosen() const {
  if (!chosen_late_) return chosen_count_ > 0 && chosen_[0] == 0;
  const int below = chosen_row_ - sprites_[0];
  return sprite_address_ < 4 && 0 <= below && below < (tall_ ? 16 : 8);
}

int Ppu::next_event() const {
  const bool counts = cartridge_.mapper().counts_lines();
  if (counts && row_ < kRest && column_ <= kLineCounted) return time_ + kLineCounted - column_;
  if (row_ == 0 && column_ <= kShortColumn) return time_ + kShortColumn - column_;
  if (row_ < kBlank || (row_ == kBlank && column_ == 0)) {
    const int rows = counts && row_ < kRest - 1 ? 1 : kBlank - row_;
    const int column = counts && row_ < kRest - 1 ? kLineCounted : 0;
    return time_ + rows * kColumns - column_ + column;
  }
  const int column = counts ? kLineCounted : kShortColumn;
  return time_ + (kRows - row_) * kColumns - column_ + column;
}

int Ppu::steady_until() const {
  // Nothing happens between the row before the picture and the vertical blank but the hit of
  // sprite zero, which can only be where that sprite is.
  if (row_ == 0) return column_ <= 0 ? time_ : time_ + std::max(0, kShortColumn - column_);
  if (row_ > kBlank || (row_ == kBlank && column_ > 0)) {
    return time_ + (kRows - row_) * kColumns - column_;
  }
  const int blank = time_ + (kBlank - row_) * kColumns - column_;
  if (zero_hit_ || !renders()) return blank;
  const int x = sprites_[3];
  if (row_ < kRest && column_ < x + 8 && zero_chosen()) return time_ + std::max(0, x - column_);
  const int top = sprites_[0] + 1 + kFirstLine;
  const int row = std::max(row_ + 1, top);
  const int height = tall_ ? 16 : 8;
  if (sprite_address_ >= 4 || row >= std::min(top + height, kRest)) return blank;
  return time_ + (row - row_) * kColumns - column_ + x;
}

std::uint8_t Ppu::read(std::uint16_t address) const {
  if (address < 0x2000) return cartridge_.picture(address);
  // nes-py's borders: the last byte below the palette is the palette's, and its last is none.
  if (address < 0x3EFF) {
    return names_[static_cast<std::size_t>(cartridge_.names(address >> 10 & 3) | (address & 0x3FF))];
  }
  return address < 0x3FFF ? palette_[address & 0x1F] : 0;
}

void Ppu::write_data(std::uint8_t value) {
  if (address_ < 0x2000) {
    cartridge_.write_picture(address_, value);
  } else if (address_ < 0x3EFF) {
    names_[static_cast<std::size_t>(cartridge_.names(address_ >> 10 & 3) | (address_ & 0x3FF))] = value;
  } else if (address_ < 0x3FFF) {
    palette_[address_ == 0x3F10 ? 0 : address_ & 0x1F] = value;
  }
  address_ += column_step_ ? 32 : 1;
}

std::uint8_t Ppu::read_data() {
  const std::uint8_t value = read(address_);
  address_ += column_step_ ? 32 : 1;
  if (address_ >= 0x3F00) return value;
  const std::uint8_t before = buffer_;
  buffer_ = value;
  return before;
}

std::uint8_t Ppu::read_status() {
  last_status_ = status();
  vblank_ = second_write_ = false;
  return last_status_;
}

void Ppu::write_control(std::uint8_t value) {
  choose_sprites();
  asks_interrupt_ = value & 0x80;
  tall_ = value & 0x20;
  background_page_ = value & 0x10;
  sprite_page_ = value & 0x08;
  column_step_ = value & 0x04;
  next_address_ = static_cast<std::uint16_t>((next_address_ & ~0x0C00) | (value & 3) << 10);
}

void Ppu::write_mask(std::uint8_t value) {
  hides_left_background_ = !(value & 0x02);
  hides_left_sprites_ = !(value & 0x04);
  shows_background_ = value & 0x08;
  shows_sprites_ = value & 0x10;
}

void Ppu::write_sprite_address(std::uint8_t value) {
  choose_sprites();
  sprite_address_ = value;
}

void Ppu::write_sprite(std::uint8_t value) {
  choose_sprites();
  sprites_[sprite_address_++] = value;
}

void Ppu::write_sprites(const std::uint8_t* page) {
  choose_sprites();
  const std::size_t first = sprites_.size() - sprite_address_;
  std::copy(page, page + first, sprites_.begin() + sprite_address_);
  std::copy(page + first, page + sprites_.size(), sprites_.begin());
}

void Ppu::write_scroll(std::uint8_t value) {
  if (second_write_) {
    next_address_ = static_cast<std::uint16_t>((next_address_ & ~0x73E0) | (value & 7) << 12 |
                                               (value & 0xF8) << 2);
  } else {
    next_address_ = static_cast<std::uint16_t>((next_address_ & ~0x1F) | value >> 3);
    fine_x_ = value & 7;
  }
  second_write_ = !second_write_;
}

void Ppu::write_address(std::uint8_t value) {
  if (second_write_) {
    next_address_ = static_cast<std::uint16_t>((next_address_ & 0xFF00) | value);
    address_ = next_address_;
  } else {
    next_address_ = static_cast<std::uint16_t>((next_address_ & 0x00FF) | (value & 0x3F) << 8);
  }
  second_write_ = !second_write_;
}

}  // namespace nes
