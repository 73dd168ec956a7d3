// How the picture processing unit draws: a stretch of a line at a time, eight pixels in one word.
#include <algorithm>
#include <cstring>

#include "ppu.h"

namespace nes {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr int kMargin = 8;  // a tile may begin before the line and end behind it

// Spreads the bits of a byte over eight bytes of 0 or 255, the left pixel first in memory.
struct Spread {
  std::uint64_t words[256];
  Spread() {
    for (unsigned byte = 0; byte < 256; ++byte) {
      std::uint8_t pixels[8];
      for (unsigned i = 0; i < 8; ++i) pixels[i] = byte >> (7 - i) & 1 ? 0xFF : 0;
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

// Colours eight pixels at a time: what the first and second bit of a pixel, and both, change.
struct Inks {
  std::uint64_t none, first, second, both;
  Inks() = default;
  Inks(std::uint8_t c0, const std::uint8_t* palette) {
    const unsigned c1 = palette[1] & 0x3F, c2 = palette[2] & 0x3F, c3 = palette[3] & 0x3F;
    none = c0 * kOnes;
    first = (c0 ^ c1) * kOnes;
    second = (c0 ^ c2) * kOnes;
    both = (c0 ^ c1 ^ c2 ^ c3) * kOnes;
  }
  std::uint64_t paint(std::uint64_t low, std::uint64_t high) const {
    return none ^ (low & first) ^ (high & second) ^ (low & high & both);
  }
};

}  // namespace

// A stretch of a line: its colours, and whether the background is opaque: 0 or 255.
struct Ppu::LevelArea {
  std::uint8_t colours[kWidth + 2 * kMargin], opaque[kWidth + 2 * kMargin];
};

void Ppu::draw(int line, int begin, int end) {
  choose_sprites();
  LevelArea stretch;
  if (shows_background_) {
    draw_background(begin, end, stretch);
  } else {
    std::memset(stretch.colours, palette_[0] & 0x3F, sizeof stretch.colours);
    std::memset(stretch.opaque, 0, sizeof stretch.opaque);
  }
  if (shows_sprites_ && chosen_count_ > 0) draw_sprites(line, begin, end, stretch);
  std::memcpy(screen_.data() + line * kWidth + begin, stretch.colours + kMargin + begin,
              static_cast<std::size_t>(end - begin));
}

void Ppu::draw_background(int begin, int end, LevelArea& stretch) const {
  Inks inks[4];
  const std::uint8_t backdrop = palette_[0] & 0x3F;
  for (std::size_t i = 0; i < 4; ++i) inks[i] = Inks(backdrop, &palette_[4 * i]);
  const unsigned page = (background_page_ ? 0x1000U : 0U) | (address_ >> 12 & 7);
  const unsigned attribute_row = 0x3C0 | (address_ >> 4 & 0x38), attribute_shift = address_ >> 4 & 4;
  unsigned at = address_;
  for (int x = begin - ((fine_x_ + begin) & 7); x < end; x += 8) {
    const std::uint8_t* names = &names_[cartridge_.names(at >> 10 & 3)];
    const unsigned attributes = names[attribute_row | (at >> 2 & 7)];
    const Inks& ink = inks[attributes >> (attribute_shift | (at & 2)) & 3];
    const auto pattern = static_cast<std::uint16_t>(page | names[at & 0x3FF] * 16U);
    const std::uint8_t* bytes = cartridge_.picture_at(pattern);
    const std::uint64_t low = kSpread.words[bytes[0]], high = kSpread.words[bytes[8]];
    const std::uint64_t colours = ink.paint(low, high), opaque = low | high;
    std::memcpy(stretch.colours + kMargin + x, &colours, sizeof colours);
    std::memcpy(stretch.opaque + kMargin + x, &opaque, sizeof opaque);
    at = (at & 0x1F) == 0x1F ? (at & ~0x1FU) ^ 0x0400 : at + 1;
  }
  if (hides_left_background_ && begin < 8) {
    std::memset(stretch.colours + kMargin, backdrop, 8);
    std::memset(stretch.opaque + kMargin, 0, 8);
  }
}

// Lays the chosen sprites over the background, the first on top; finds the hit of sprite zero.
void Ppu::draw_sprites(int line, int begin, int end, LevelArea& stretch) {
  if (hides_left_sprites_) begin = std::max(begin, 8);
  bool taken[kWidth] = {};
  for (std::size_t i = 0; i < chosen_count_; ++i) {
    const std::uint8_t* sprite = &sprites_[static_cast<std::size_t>(4 * chosen_[i])];
    const int left = sprite[3];
    const auto [low, high] = sprite_row(line, sprite);
    if (left >= end || left + 8 <= begin || (low | high) == 0) continue;
    std::uint8_t colours[8], opaque[8];
    const std::uint64_t colour = Inks(0, &palette_[0x10 + 4 * (sprite[2] & 3U)]).paint(low, high);
    const std::uint64_t mask = low | high;
    std::memcpy(colours, &colour, sizeof colours);
    std::memcpy(opaque, &mask, sizeof opaque);
    for (int x = std::max(left, begin); x < std::min(left + 8, end); ++x) {
      if (!opaque[x - left] || taken[x]) continue;
      taken[x] = true;
      const bool covers = stretch.opaque[kMargin + x] != 0;
      if (chosen_[i] == 0 && covers && shows_background_) zero_hit_ = true;
      if (!covers || !(sprite[2] & 0x20)) stretch.colours[kMargin + x] = colours[x - left];
    }
  }
}

// What draw() does to the hit of sprite zero, without drawing.
void Ppu::find_zero_hit(int line, int begin, int end) {
  const int left = sprites_[3], first = begin;
  begin = std::max(begin, hides_left_sprites_ || hides_left_background_ ? std::max(left, 8) : left);
  end = std::min(end, left + 8);
  if (begin >= end) return;
  const auto [low, high] = sprite_row(line, sprites_.data());
  if ((low | high) == 0) return;
  const std::uint16_t address = address_;
  step_columns(first, begin);
  LevelArea stretch;
  draw_background(begin, end, stretch);
  address_ = address;
  const std::uint64_t mask = low | high;
  std::uint8_t opaque[8];
  std::memcpy(opaque, &mask, sizeof opaque);
  for (int x = begin; x < end; ++x) {
    if (opaque[x - left] && stretch.opaque[kMargin + x]) zero_hit_ = true;
  }
}

// The first and the second bits of eight pixels of a sprite. Below the screen's end it goes on at
// the top and, as in nes-py, with other rows of its pattern.
std::pair<std::uint64_t, std::uint64_t> Ppu::sprite_row(int line, const std::uint8_t* sprite) const {
  const int height = tall_ ? 16 : 8;
  int row = (line - static_cast<std::uint8_t>(sprite[0] + 1)) % height;
  if (sprite[2] & 0x80) row ^= height - 1;
  int address = sprite[1] * 16 + row + (sprite_page_ ? 0x1000 : 0);
  if (tall_) {
    row = (row & 7) | (row & 8) << 1;
    address = ((sprite[1] >> 1) * 32 + row) | (sprite[1] & 1) << 12;
  }
  const std::uint64_t low = kSpread.words[read(static_cast<std::uint16_t>(address))];
  const std::uint64_t high = kSpread.words[read(static_cast<std::uint16_t>(address + 8))];
  if (sprite[2] & 0x40) return {mirrored(low), mirrored(high)};
  return {low, high};
}

}  // namespace nes
