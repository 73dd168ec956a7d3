// The picture processing unit, brought up to date only when someone looks.
//
// A frame is 262 rows of 341 dots, in this order: one row before the picture, 240 of the picture,
// one of rest, 20 of vertical blank. Nothing is done dot by dot: run_to() takes whole stretches of
// a row at a time, since no register changes within a call.
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
  void begin_frame(bool drawn) {
    time_ = 0;
    drawn_ = drawn;
  }
  void run_to(int time);
  // When the next dot goes by that the processor must not sleep through.
  int next_event() const;
  // Until when, if no register is written, status() keeps its value.
  int steady_until() const;
  // Whether the start of vertical blank asks for an interrupt; asked once.
  bool take_interrupt() {
    const bool asked = interrupt_;
    interrupt_ = false;
    return asked;
  }

  // The registers. Whoever uses one has called run_to() first.
  void write_control(std::uint8_t value);
  void write_mask(std::uint8_t value);
  void write_sprite_address(std::uint8_t value);
  void write_sprite(std::uint8_t value);
  void write_sprites(const std::uint8_t* page);
  void write_scroll(std::uint8_t value);
  void write_address(std::uint8_t value);
  void write_data(std::uint8_t value);
  std::uint8_t read_status();
  std::uint8_t read_sprite() const { return sprites_[sprite_address_]; }
  std::uint8_t read_data();
  // Whether the last read_status() would return the same again.
  bool status_is_steady() const { return last_status_ == status(); }

  const std::uint8_t* screen() const { return screen_.data(); }

  template <typename Archive>
  void fields(Archive& archive) {
    archive(row_), archive(column_), archive(even_frame_);
    archive(vblank_), archive(zero_hit_), archive(interrupt_);
    archive(address_), archive(next_address_), archive(fine_x_), archive(second_write_);
    archive(buffer_), archive(last_status_), archive(sprite_address_);
    archive(asks_interrupt_), archive(tall_), archive(background_page_), archive(sprite_page_);
    archive(column_step_);
    archive(shows_background_), archive(shows_sprites_);
    archive(hides_left_background_), archive(hides_left_sprites_);
    archive(chosen_count_), archive(chosen_), archive(chosen_late_), archive(chosen_row_);
    archive(sprites_), archive(names_), archive(palette_), archive(screen_);
  }
  // Whether fields just read are possible ones.
  bool is_valid() const;

 private:
  // ppu.cpp
  void run_row(int end);
  void run_picture_row(int end);
  void next_row();
  int row_length() const;
  bool renders() const { return shows_background_ && shows_sprites_; }
  std::uint8_t status() const {
    return static_cast<std::uint8_t>(zero_hit_ << 6 | vblank_ << 7);
  }
  void copy_columns() { address_ = (address_ & ~0x041F) | (next_address_ & 0x041F); }
  void copy_rows() { address_ = (address_ & ~0x7BE0) | (next_address_ & 0x7BE0); }
  void step_columns(int begin, int end);
  void step_row();
  void choose_sprites();
  bool zero_chosen() const;
  std::uint8_t read(std::uint16_t address) const;

  // ppu_draw.cpp
  struct LevelArea;
  void draw(int line, int begin, int end);
  void draw_background(int begin, int end, LevelArea& stretch) const;
  void draw_sprites(int line, int begin, int end, LevelArea& stretch);
  void find_zero_hit(int line, int begin, int end);
  std::pair<std::uint64_t, std::uint64_t> sprite_row(int line, const std::uint8_t* sprite) const;

  Cartridge& cartridge_;
  int time_ = 0;
  bool drawn_ = true;

  std::int32_t row_ = 0, column_ = 0;  // the dot that comes next
  bool even_frame_ = true;
  bool vblank_ = false, zero_hit_ = false, interrupt_ = false;
  std::uint16_t address_ = 0, next_address_ = 0;
  std::uint8_t fine_x_ = 0;
  bool second_write_ = false;
  std::uint8_t buffer_ = 0, last_status_ = 0, sprite_address_ = 0;
  bool asks_interrupt_ = false, tall_ = false, background_page_ = false, sprite_page_ = false;
  bool column_step_ = false;
  bool shows_background_ = true, shows_sprites_ = true;
  bool hides_left_background_ = false, hides_left_sprites_ = false;
  // Sprites of the row to come, by number; if late, still to be chosen as of the end of a row.
  std::uint8_t chosen_count_ = 0;
  std::array<std::uint8_t, 8> chosen_{};
  bool chosen_late_ = false;
  std::int32_t chosen_row_ = 0;
  std::array<std::uint8_t, 256> sprites_{};
  std::array<std::uint8_t, 0x1000> names_{};
  std::array<std::uint8_t, 32> palette_{};
  std::array<std::uint8_t, kWidth * kHeight> screen_{};
};

}  // namespace nes
