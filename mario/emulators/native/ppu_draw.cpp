// How the picture processing unit draws: a stretch of a line at a time, eight pixels in one word.
#include <algorithm>
#include <cstring>

#include "ppu.h"

namespace nes {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101U;

// Spreads the bits of a byte over eight bytes, the left pixel first in memory.
struct Spread {
  std::uint64_t words[256];
  Spread() {
    for (unsigned byte = 0; byte < 256; ++byte) {
      std::uint8_t pixels[8];
      for (unsigned i = 0; i < 8; ++i) pixels[i] = byte >> (7 - i) & 1;
      std::memcpy(&words[byte], pixels, sizeof pixels);
    }
  }
};
const Spread kSpread;

std::uint64_t mirrored(std::uint64_t word) {
  std::uint8_t bytes[8];
  std::memcpy(bytes, &word, 8);
  std::reverse(bytes, bytes + 8);
  std::memcpy(&word, bytes, 8);
  return word;
}

// Eight pixels of two bits and the palette they are in; transparent ones stay 0.
std::uint64_t coloured(std::uint64_t pixels, unsigned palette) {
  return pixels | ((pixels | pixels >> 1) & kOnes) * (palette << 2);
}

constexpr int kMargin = 8;  // a tile may begin before the line and end behind it

}  // namespace

// Eight pixels, 0 to 3 each, of the pattern at an address.
std::uint64_t Ppu::tile_row(std::uint16_t address) const {
  return kSpread.words[cartridge_.picture(address)] |
         kSpread.words[cartridge_.picture(address | 8)] << 1;
}

void Ppu::draw(int line, int begin, int end) {
  std::uint8_t pixels[kWidth + 2 * kMargin] = {};
  if (shows_background_) draw_background(begin, end, pixels + kMargin);
  if (shows_sprites_) draw_sprites(line, begin, end, pixels + kMargin);
  std::uint8_t* out = screen_.data() + line * kWidth;
  for (int x = begin; x < end; ++x) out[x] = palette_[pixels[kMargin + x]] & 0x3F;
}

// `pixels` become indices into the palette, 0 where the background is transparent.
void Ppu::draw_background(int begin, int end, std::uint8_t* pixels) const {
  std::uint16_t at = address_;
  const unsigned page = background_page_ ? 0x1000 : 0;
  for (int x = begin - ((fine_x_ + begin) & 7); x < end; x += 8) {
    const std::uint8_t* names = &names_[cartridge_.names(at >> 10 & 3)];
    const unsigned tile = names[at & 0x3FF];
    const unsigned attributes = names[0x3C0 | (at >> 4 & 0x38) | (at >> 2 & 7)];
    const unsigned palette = attributes >> ((at >> 4 & 4) | (at & 2)) & 3;
    const auto pattern = static_cast<std::uint16_t>(page | tile << 4 | (at >> 12 & 7));
    const std::uint64_t word = coloured(tile_row(pattern), palette);
    std::memcpy(pixels + x, &word, sizeof word);
    at = (at & 0x1F) == 0x1F ? (at & ~0x1F) ^ 0x0400 : at + 1;
  }
  if (hides_left_background_ && begin < 8) std::memset(pixels, 0, 8);
}

// Lays the chosen sprites over the background, the first on top; finds the hit of sprite zero.
void Ppu::draw_sprites(int line, int begin, int end, std::uint8_t* pixels) {
  choose_sprites();
  if (chosen_count_ == 0) return;
  if (hides_left_sprites_) begin = std::max(begin, 8);
  std::uint8_t taken[kWidth + kMargin] = {};
  for (std::size_t i = 0; i < chosen_count_; ++i) {
    const std::uint8_t* sprite = &sprites_[static_cast<std::size_t>(4 * chosen_[i])];
    const int left = sprite[3];
    if (left >= end || left + 8 <= begin) continue;
    std::uint8_t row[8];
    const std::uint64_t word = sprite_row(line, sprite);
    if (word == 0) continue;
    std::memcpy(row, &word, sizeof row);
    for (int x = std::max(left, begin); x < std::min(left + 8, end); ++x) {
      const std::uint8_t colour = row[x - left];
      if (colour == 0 || taken[x]) continue;
      taken[x] = 1;
      const bool opaque = pixels[x] != 0;
      if (chosen_[i] == 0 && opaque && shows_background_) zero_hit_ = true;
      if (!opaque || !(sprite[2] & 0x20)) pixels[x] = 0x10 | colour;
    }
  }
}

// What draw() does to the hit of sprite zero, without drawing.
void Ppu::find_zero_hit(int line, int begin, int end) {
  begin = std::max(begin, static_cast<int>(sprites_[3]));
  end = std::min(end, sprites_[3] + 8);
  if (hides_left_sprites_ || hides_left_background_) begin = std::max(begin, 8);
  if (begin >= end) return;
  const std::uint64_t word = sprite_row(line, sprites_.data());
  if (word == 0) return;
  const std::uint16_t kept = address_;
  step_columns(column_, begin);
  std::uint8_t pixels[kWidth + 2 * kMargin], row[8];
  draw_background(begin, end, pixels + kMargin);
  address_ = kept;
  std::memcpy(row, &word, sizeof row);
  for (int x = begin; x < end; ++x) {
    if (row[x - sprites_[3]] && pixels[kMargin + x]) zero_hit_ = true;
  }
}

// Eight coloured pixels of a sprite, as on the screen. Below the screen's end it goes on at the
// top, one line lower than it should and, as in nes-py, from other rows of its pattern.
std::uint64_t Ppu::sprite_row(int line, const std::uint8_t* sprite) const {
  const int height = tall_ ? 16 : 8;
  int row = (line - static_cast<std::uint8_t>(sprite[0] + 1)) % height;
  if (sprite[2] & 0x80) row ^= height - 1;
  int address = sprite[1] * 16 + row + (sprite_page_ ? 0x1000 : 0);
  if (tall_) {
    row = (row & 7) | (row & 8) << 1;
    address = ((sprite[1] >> 1) * 32 + row) | (sprite[1] & 1) << 12;
  }
  const auto low = kSpread.words[read(static_cast<std::uint16_t>(address))];
  const auto high = kSpread.words[read(static_cast<std::uint16_t>(address + 8))];
  const std::uint64_t word = coloured(low | high << 1, sprite[2] & 3);
  return sprite[2] & 0x40 ? mirrored(word) : word;
}

}  // namespace nes
