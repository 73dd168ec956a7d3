// The picture processing unit. It runs only when its state is needed.
//
// A frame has 262 scanlines of 341 dots: the pre-render line (0), 240 visible lines (1 to 240), the
// post-render line (241) and 20 lines of vertical blank. No register changes within a call of
// run_to(), so it processes ranges of dots instead of single dots.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "cartridge.h"
#include "console.h"

namespace nes {

class Ppu {
 public:
  explicit Ppu(Cartridge& cartridge) : cartridge_(cartridge) { power_on(); }

  void power_on();

  // Times are dots since begin_frame().
  void begin_frame(bool render) {
    time_ = 0;
    render_ = render;
  }
  void run_to(int time);
  // Time of the next dot at which the CPU must stop, because the PPU or mapper may interrupt it.
  int next_event() const;
  // Time until which status() does not change, if no register is written.
  int status_unchanged_until() const;
  // Returns whether an NMI is pending, and acknowledges it.
  bool take_nmi() {
    const bool pending = nmi_pending_;
    nmi_pending_ = false;
    return pending;
  }

  // The registers. Call run_to() before using one.
  void write_control(std::uint8_t value);
  void write_mask(std::uint8_t value);
  void write_oam_address(std::uint8_t value);
  void write_oam_data(std::uint8_t value);
  void write_oam_page(const std::uint8_t* page);
  void write_scroll(std::uint8_t value);
  void write_address(std::uint8_t value);
  void write_data(std::uint8_t value);
  std::uint8_t read_status();
  std::uint8_t read_oam_data() const { return oam_[oam_address_]; }
  std::uint8_t read_data();
  // Whether another read_status() would return the same value as the last one.
  bool status_unchanged() const { return last_status_ == status(); }

  const std::uint8_t* screen() const { return screen_.data(); }

  template <typename Archive>
  void serialize(Archive& archive) {
    archive(scanline_), archive(dot_), archive(even_frame_);
    archive(vblank_), archive(sprite_zero_hit_), archive(nmi_pending_);
    archive(vram_address_), archive(temp_address_), archive(fine_x_), archive(write_toggle_);
    archive(read_buffer_), archive(last_status_), archive(oam_address_);
    archive(nmi_enabled_), archive(tall_sprites_);
    archive(background_table_), archive(sprite_table_), archive(increment_by_32_);
    archive(show_background_), archive(show_sprites_);
    archive(hide_left_background_), archive(hide_left_sprites_);
    archive(line_sprite_count_), archive(line_sprites_);
    archive(evaluation_pending_), archive(evaluated_line_);
    archive(oam_), archive(nametables_), archive(palette_);
  }
  template <typename Archive>
  void serialize_screen(Archive& archive) {
    archive(screen_);
  }
  // Whether fields that were just loaded have valid values.
  bool is_valid() const;
  bool is_screen_valid() const;

 private:
  // ppu.cpp
  void run_dots(int end);
  void run_visible_line(int end);
  void next_scanline();
  int scanline_length() const;
  // Whether the PPU fetches tiles: one visible layer is enough.
  bool is_rendering() const { return show_background_ || show_sprites_; }
  bool can_hit_sprite_zero() const { return show_background_ && show_sprites_; }
  std::uint8_t status() const {
    return static_cast<std::uint8_t>(sprite_zero_hit_ << 6 | vblank_ << 7);
  }
  void copy_horizontal() { vram_address_ = (vram_address_ & ~0x041F) | (temp_address_ & 0x041F); }
  void copy_vertical() { vram_address_ = (vram_address_ & ~0x7BE0) | (temp_address_ & 0x7BE0); }
  void set_vram_address(int address);
  void increment_horizontal(int begin, int end);
  void increment_vertical();
  void evaluate_sprites();
  bool sprite_zero_on_line() const;
  std::size_t nametable_index(std::uint16_t address) const {
    return static_cast<std::size_t>(cartridge_.nametable(address >> 10 & 3) | (address & 0x3FF));
  }
  std::uint8_t read_vram(std::uint16_t address) const;

  // ppu_render.cpp
  struct LineBuffer;
  void render_line(int line, int begin, int end);
  void render_background(int begin, int end, LineBuffer& buffer) const;
  void render_sprites(int line, int begin, int end, LineBuffer& buffer);
  void find_sprite_zero_hit(int line, int begin, int end);
  std::pair<std::uint64_t, std::uint64_t> sprite_row(int line, const std::uint8_t* sprite) const;

  Cartridge& cartridge_;
  int time_ = 0;
  bool render_ = true;

  std::int32_t scanline_ = 0, dot_ = 0;  // position of the next dot
  bool even_frame_ = true;
  bool vblank_ = false, sprite_zero_hit_ = false, nmi_pending_ = false;
  // The internal registers v, t, x and w of https://www.nesdev.org/wiki/PPU_scrolling.
  std::uint16_t vram_address_ = 0, temp_address_ = 0;
  std::uint8_t fine_x_ = 0;
  bool write_toggle_ = false;
  std::uint8_t read_buffer_ = 0, last_status_ = 0, oam_address_ = 0;
  bool nmi_enabled_ = false, tall_sprites_ = false;
  bool background_table_ = false, sprite_table_ = false, increment_by_32_ = false;
  bool show_background_ = true, show_sprites_ = true;
  bool hide_left_background_ = false, hide_left_sprites_ = false;
  // OAM indices of the sprites on the next line. They are evaluated only when needed, for the line
  // after `evaluated_line_`.
  std::uint8_t line_sprite_count_ = 0;
  std::array<std::uint8_t, 8> line_sprites_{};
  bool evaluation_pending_ = false;
  std::int32_t evaluated_line_ = 0;
  std::array<std::uint8_t, 256> oam_{};
  std::array<std::uint8_t, 0x1000> nametables_{};
  std::array<std::uint8_t, 32> palette_{};
  std::array<std::uint8_t, kWidth * kHeight> screen_{};
};

}  // namespace nes
