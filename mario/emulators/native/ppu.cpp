#include "ppu.h"

#include <algorithm>

namespace nes {
namespace {

constexpr int kDots = 341;
constexpr int kScanlines = 262;
constexpr int kFirstVisible = 1;
constexpr int kPostRender = 241;
constexpr int kVblank = 242;
constexpr int kLastDot = kDots - 1;
constexpr int kSkippedDot = 339;  // of the pre-render line, skipped in odd frames
constexpr int kMapperClockDot = 260;
constexpr std::uint8_t kBlack = 0x0F;

}  // namespace

void Ppu::power_on() {
  scanline_ = 0;
  dot_ = -1;  // as in nes-py, whose very first scanline is one dot longer
  even_frame_ = true;
  vblank_ = sprite_zero_hit_ = nmi_pending_ = false;
  vram_address_ = temp_address_ = 0;
  fine_x_ = read_buffer_ = last_status_ = oam_address_ = 0;
  write_toggle_ = nmi_enabled_ = tall_sprites_ = background_table_ = sprite_table_ = false;
  increment_by_32_ = hide_left_background_ = hide_left_sprites_ = evaluation_pending_ = false;
  show_background_ = show_sprites_ = true;
  line_sprite_count_ = 0;
  evaluated_line_ = 0;
  line_sprites_.fill(0);
  oam_.fill(0);
  nametables_.fill(0);
  palette_.fill(0);
  screen_.fill(kBlack);
}

bool Ppu::is_valid() const {
  return scanline_ >= 0 && scanline_ < kScanlines && dot_ >= -1 && dot_ < kDots && fine_x_ < 8 &&
         line_sprite_count_ <= line_sprites_.size() && evaluated_line_ >= 0 &&
         evaluated_line_ < kHeight &&
         std::all_of(line_sprites_.begin(), line_sprites_.end(),
                     [](std::uint8_t i) { return i < 64; });
}

bool Ppu::is_screen_valid() const {
  return std::all_of(screen_.begin(), screen_.end(), [](std::uint8_t i) { return i < 64; });
}

int Ppu::scanline_length() const {
  const bool is_short = scanline_ == 0 && !even_frame_ && is_rendering() && dot_ <= kSkippedDot;
  return is_short ? kSkippedDot + 1 : kDots;
}

void Ppu::run_to(int time) {
  while (time_ < time) {
    const int length = scanline_length();
    const int end = std::min(length, dot_ + time - time_);
    time_ += end - dot_;
    run_dots(end);
    dot_ = end;
    if (dot_ == length) next_scanline();
  }
}

void Ppu::next_scanline() {
  dot_ = 0;
  if (++scanline_ < kScanlines) return;
  scanline_ = 0;
  even_frame_ = !even_frame_;
}

// Runs the dots of this scanline from dot_ to `end`, exclusive.
void Ppu::run_dots(int end) {
  const auto passes = [&](int dot) { return dot_ <= dot && dot < end; };
  if (scanline_ < kPostRender) {
    if (scanline_ >= kFirstVisible) {
      run_visible_line(end);
    } else {
      if (passes(0)) vblank_ = sprite_zero_hit_ = false;
      if (is_rendering() && passes(257)) copy_horizontal();
      if (is_rendering() && dot_ <= 303 && end > 280) copy_vertical();
    }
    if (passes(kMapperClockDot) && is_rendering()) cartridge_.mapper().clock_counter();
  } else if (scanline_ == kVblank && passes(0)) {
    vblank_ = true;
    nmi_pending_ = nmi_enabled_;
  }
}

void Ppu::run_visible_line(int end) {
  const int line = scanline_ - kFirstVisible;
  if (dot_ < kWidth) {
    const int last = std::min(end, kWidth);
    if (render_) {
      render_line(line, dot_, last);
    } else if (!sprite_zero_hit_ && can_hit_sprite_zero() && sprite_zero_on_line()) {
      find_sprite_zero_hit(line, dot_, last);
    }
    if (is_rendering()) increment_horizontal(dot_, last);
  }
  if (is_rendering() && dot_ <= 256 && end > 256) increment_vertical();
  if (is_rendering() && dot_ <= 257 && end > 257) copy_horizontal();
  if (end > kLastDot) {
    evaluation_pending_ = true;
    evaluated_line_ = line;
  }
}

// Sets the address by a register. Outside of rendering it is on the bus to the cartridge, whose
// mapper counts the rises of bit 12.
void Ppu::set_vram_address(int address) {
  const bool rises = ~vram_address_ & address & 0x1000;
  vram_address_ = static_cast<std::uint16_t>(address);
  const bool is_fetching = is_rendering() && scanline_ < kPostRender;
  if (rises && !is_fetching) cartridge_.mapper().clock_counter();
}

// The VRAM address advances by one tile after each tile's last column.
void Ppu::increment_horizontal(int begin, int end) {
  const int steps = (fine_x_ + end) / 8 - (fine_x_ + begin) / 8;
  const int column = (vram_address_ & 0x1F) + steps;
  if (column / 32 % 2) vram_address_ ^= 0x0400;
  vram_address_ = static_cast<std::uint16_t>((vram_address_ & ~0x1F) | (column & 0x1F));
}

void Ppu::increment_vertical() {
  if ((vram_address_ & 0x7000) != 0x7000) {
    vram_address_ += 0x1000;
    return;
  }
  int row = vram_address_ >> 5 & 0x1F;
  if (row == 29) vram_address_ ^= 0x0800;
  row = row == 29 || row == 31 ? 0 : row + 1;
  vram_address_ = static_cast<std::uint16_t>((vram_address_ & ~0x73E0) | row << 5);
}

void Ppu::evaluate_sprites() {
  if (!evaluation_pending_) return;
  evaluation_pending_ = false;
  line_sprite_count_ = 0;
  const int height = tall_sprites_ ? 16 : 8;
  for (int i = oam_address_ / 4; i < 64 && line_sprite_count_ < line_sprites_.size(); ++i) {
    const int row = evaluated_line_ - oam_[static_cast<std::size_t>(4 * i)];
    if (0 <= row && row < height) {
      line_sprites_[line_sprite_count_++] = static_cast<std::uint8_t>(i);
    }
  }
}

// Whether sprite zero is among the sprites of the next line.
bool Ppu::sprite_zero_on_line() const {
  if (!evaluation_pending_) return line_sprite_count_ > 0 && line_sprites_[0] == 0;
  const int row = evaluated_line_ - oam_[0];
  return oam_address_ < 4 && 0 <= row && row < (tall_sprites_ ? 16 : 8);
}

int Ppu::next_event() const {
  const bool counts = cartridge_.mapper().counts_scanlines();
  if (counts && scanline_ < kPostRender && dot_ <= kMapperClockDot) {
    return time_ + kMapperClockDot - dot_;
  }
  if (scanline_ == 0 && dot_ <= kSkippedDot) return time_ + kSkippedDot - dot_;
  if (scanline_ < kVblank || (scanline_ == kVblank && dot_ == 0)) {
    const int lines = counts && scanline_ < kPostRender - 1 ? 1 : kVblank - scanline_;
    const int dot = counts && scanline_ < kPostRender - 1 ? kMapperClockDot : 0;
    return time_ + lines * kDots - dot_ + dot;
  }
  const int dot = counts ? kMapperClockDot : kSkippedDot;
  return time_ + (kScanlines - scanline_) * kDots - dot_ + dot;
}

int Ppu::status_unchanged_until() const {
  // Between the pre-render line and the vertical blank, only a sprite zero hit changes the status,
  // and only where sprite zero is.
  if (scanline_ == 0) return dot_ <= 0 ? time_ : time_ + std::max(0, kSkippedDot - dot_);
  if (scanline_ > kVblank || (scanline_ == kVblank && dot_ > 0)) {
    return time_ + (kScanlines - scanline_) * kDots - dot_;
  }
  const int blank = time_ + (kVblank - scanline_) * kDots - dot_;
  if (sprite_zero_hit_ || !can_hit_sprite_zero()) return blank;
  const int x = oam_[3];
  if (scanline_ < kPostRender && dot_ < x + 8 && sprite_zero_on_line()) {
    return time_ + std::max(0, x - dot_);
  }
  const int top = oam_[0] + 1 + kFirstVisible;
  const int line = std::max(scanline_ + 1, top);
  const int height = tall_sprites_ ? 16 : 8;
  if (oam_address_ >= 4 || line >= std::min(top + height, kPostRender)) return blank;
  return time_ + (line - scanline_) * kDots - dot_ + x;
}

std::uint8_t Ppu::read_vram(std::uint16_t address) const {
  if (address < 0x2000) return cartridge_.read_chr(address);
  // As in nes-py, the palette starts one byte early, and its last byte reads as 0.
  if (address < 0x3EFF) return nametables_[nametable_index(address)];
  return address < 0x3FFF ? palette_[address & 0x1F] : 0;
}

void Ppu::write_data(std::uint8_t value) {
  if (vram_address_ < 0x2000) {
    cartridge_.write_chr(vram_address_, value);
  } else if (vram_address_ < 0x3EFF) {
    nametables_[nametable_index(vram_address_)] = value;
  } else if (vram_address_ < 0x3FFF) {
    palette_[vram_address_ == 0x3F10 ? 0 : vram_address_ & 0x1F] = value;
  }
  set_vram_address(vram_address_ + (increment_by_32_ ? 32 : 1));
}

std::uint8_t Ppu::read_data() {
  const std::uint8_t value = read_vram(vram_address_);
  set_vram_address(vram_address_ + (increment_by_32_ ? 32 : 1));
  if (vram_address_ >= 0x3F00) return value;
  const std::uint8_t buffered = read_buffer_;
  read_buffer_ = value;
  return buffered;
}

std::uint8_t Ppu::read_status() {
  last_status_ = status();
  vblank_ = write_toggle_ = false;
  return last_status_;
}

void Ppu::write_control(std::uint8_t value) {
  evaluate_sprites();
  nmi_enabled_ = value & 0x80;
  tall_sprites_ = value & 0x20;
  background_table_ = value & 0x10;
  sprite_table_ = value & 0x08;
  increment_by_32_ = value & 0x04;
  temp_address_ = static_cast<std::uint16_t>((temp_address_ & ~0x0C00) | (value & 3) << 10);
}

void Ppu::write_mask(std::uint8_t value) {
  hide_left_background_ = !(value & 0x02);
  hide_left_sprites_ = !(value & 0x04);
  show_background_ = value & 0x08;
  show_sprites_ = value & 0x10;
}

void Ppu::write_oam_address(std::uint8_t value) {
  evaluate_sprites();
  oam_address_ = value;
}

void Ppu::write_oam_data(std::uint8_t value) {
  evaluate_sprites();
  oam_[oam_address_++] = value;
}

void Ppu::write_oam_page(const std::uint8_t* page) {
  evaluate_sprites();
  const std::size_t first = oam_.size() - oam_address_;
  std::copy(page, page + first, oam_.begin() + oam_address_);
  std::copy(page + first, page + oam_.size(), oam_.begin());
}

void Ppu::write_scroll(std::uint8_t value) {
  if (write_toggle_) {
    temp_address_ = static_cast<std::uint16_t>((temp_address_ & ~0x73E0) | (value & 7) << 12 |
                                               (value & 0xF8) << 2);
  } else {
    temp_address_ = static_cast<std::uint16_t>((temp_address_ & ~0x1F) | value >> 3);
    fine_x_ = value & 7;
  }
  write_toggle_ = !write_toggle_;
}

void Ppu::write_address(std::uint8_t value) {
  if (write_toggle_) {
    temp_address_ = static_cast<std::uint16_t>((temp_address_ & 0xFF00) | value);
    set_vram_address(temp_address_);
  } else {
    temp_address_ = static_cast<std::uint16_t>((temp_address_ & 0x00FF) | (value & 0x3F) << 8);
  }
  write_toggle_ = !write_toggle_;
}

}  // namespace nes
