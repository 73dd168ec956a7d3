// Rendering: part of a line at a time, eight pixels per 64-bit word.
#include <algorithm>
#include <cstring>

#include "ppu.h"

namespace nes {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101U;
constexpr int kMargin = 8;  // a tile may start before the line and end after it

// For each byte, a word with one byte of 0 or 255 per bit, the leftmost pixel first in memory.
struct BitMasks {
  std::uint64_t words[256];
  BitMasks() {
    for (unsigned byte = 0; byte < 256; ++byte) {
      std::uint8_t pixels[8];
      for (unsigned i = 0; i < 8; ++i) pixels[i] = byte >> (7 - i) & 1 ? 0xFF : 0;
      std::memcpy(&words[byte], pixels, sizeof pixels);
    }
  }
};
const BitMasks kBitMasks;

std::uint64_t reverse_bytes(std::uint64_t word) {
  std::uint8_t bytes[8];
  std::memcpy(bytes, &word, 8);
  std::reverse(bytes, bytes + 8);
  std::memcpy(&word, bytes, 8);
  return word;
}

// Maps the two bit planes of eight pixels to colors: how the low bit, the high bit, and both
// together change the color.
struct TileColors {
  std::uint64_t none, low_bit, high_bit, both;
  TileColors() = default;
  TileColors(std::uint8_t c0, const std::uint8_t* palette) {
    const unsigned c1 = palette[1] & 0x3F, c2 = palette[2] & 0x3F, c3 = palette[3] & 0x3F;
    none = c0 * kOnes;
    low_bit = (c0 ^ c1) * kOnes;
    high_bit = (c0 ^ c2) * kOnes;
    both = (c0 ^ c1 ^ c2 ^ c3) * kOnes;
  }
  std::uint64_t apply(std::uint64_t low, std::uint64_t high) const {
    return none ^ (low & low_bit) ^ (high & high_bit) ^ (low & high & both);
  }
};

}  // namespace

// The colors of a line, and whether the background is opaque (255) or not (0).
struct Ppu::LineBuffer {
  std::uint8_t colors[kWidth + 2 * kMargin], opaque[kWidth + 2 * kMargin];
};

void Ppu::render_line(int line, int begin, int end) {
  evaluate_sprites();
  LineBuffer buffer;
  if (show_background_) {
    render_background(begin, end, buffer);
  } else {
    std::memset(buffer.colors, palette_[0] & 0x3F, sizeof buffer.colors);
    std::memset(buffer.opaque, 0, sizeof buffer.opaque);
  }
  if (show_sprites_ && line_sprite_count_ > 0) render_sprites(line, begin, end, buffer);
  std::memcpy(screen_.data() + line * kWidth + begin, buffer.colors + kMargin + begin,
              static_cast<std::size_t>(end - begin));
}

void Ppu::render_background(int begin, int end, LineBuffer& buffer) const {
  TileColors tile_colors[4];
  const std::uint8_t backdrop = palette_[0] & 0x3F;
  for (std::size_t i = 0; i < 4; ++i) tile_colors[i] = TileColors(backdrop, &palette_[4 * i]);
  const unsigned pattern_base = (background_table_ ? 0x1000U : 0U) | (vram_address_ >> 12 & 7);
  const unsigned attribute_row = 0x3C0 | (vram_address_ >> 4 & 0x38);
  const unsigned attribute_shift = vram_address_ >> 4 & 4;
  unsigned address = vram_address_;
  for (int x = begin - ((fine_x_ + begin) & 7); x < end; x += 8) {
    const std::uint8_t* nametable = &nametables_[cartridge_.nametable(address >> 10 & 3)];
    const unsigned attributes = nametable[attribute_row | (address >> 2 & 7)];
    const TileColors& map = tile_colors[attributes >> (attribute_shift | (address & 2)) & 3];
    const auto pattern =
        static_cast<std::uint16_t>(pattern_base | nametable[address & 0x3FF] * 16U);
    const std::uint8_t* bytes = cartridge_.chr(pattern);
    const std::uint64_t low = kBitMasks.words[bytes[0]], high = kBitMasks.words[bytes[8]];
    const std::uint64_t colors = map.apply(low, high), opaque = low | high;
    std::memcpy(buffer.colors + kMargin + x, &colors, sizeof colors);
    std::memcpy(buffer.opaque + kMargin + x, &opaque, sizeof opaque);
    address = (address & 0x1F) == 0x1F ? (address & ~0x1FU) ^ 0x0400 : address + 1;
  }
  if (hide_left_background_ && begin < 8) {
    std::memset(buffer.colors + kMargin, backdrop, 8);
    std::memset(buffer.opaque + kMargin, 0, 8);
  }
}

// Draws the sprites of the line over the background, the first one on top, and detects a sprite
// zero hit.
void Ppu::render_sprites(int line, int begin, int end, LineBuffer& buffer) {
  if (hide_left_sprites_) begin = std::max(begin, 8);
  bool taken[kWidth] = {};
  for (std::size_t i = 0; i < line_sprite_count_; ++i) {
    const std::uint8_t* sprite = &oam_[static_cast<std::size_t>(4 * line_sprites_[i])];
    const int left = sprite[3];
    const auto [low, high] = sprite_row(line, sprite);
    if (left >= end || left + 8 <= begin || (low | high) == 0) continue;
    std::uint8_t colors[8], opaque[8];
    const TileColors map(0, &palette_[0x10 + 4 * (sprite[2] & 3U)]);
    const std::uint64_t color_word = map.apply(low, high), mask = low | high;
    std::memcpy(colors, &color_word, sizeof colors);
    std::memcpy(opaque, &mask, sizeof opaque);
    for (int x = std::max(left, begin); x < std::min(left + 8, end); ++x) {
      if (!opaque[x - left] || taken[x]) continue;
      taken[x] = true;
      const bool over_background = buffer.opaque[kMargin + x] != 0;
      if (line_sprites_[i] == 0 && over_background && show_background_) sprite_zero_hit_ = true;
      // Bit 5 of the attributes puts a sprite behind the background.
      if (!over_background || !(sprite[2] & 0x20)) buffer.colors[kMargin + x] = colors[x - left];
    }
  }
}

// Detects a sprite zero hit as render_line() does, without rendering.
void Ppu::find_sprite_zero_hit(int line, int begin, int end) {
  const int left = oam_[3], first = begin;
  begin = std::max(begin, hide_left_sprites_ || hide_left_background_ ? std::max(left, 8) : left);
  end = std::min(end, left + 8);
  if (begin >= end) return;
  const auto [low, high] = sprite_row(line, oam_.data());
  if ((low | high) == 0) return;
  const std::uint16_t address = vram_address_;
  increment_horizontal(first, begin);
  LineBuffer buffer;
  render_background(begin, end, buffer);
  vram_address_ = address;
  const std::uint64_t mask = low | high;
  std::uint8_t opaque[8];
  std::memcpy(opaque, &mask, sizeof opaque);
  for (int x = begin; x < end; ++x) {
    if (opaque[x - left] && buffer.opaque[kMargin + x]) sprite_zero_hit_ = true;
  }
}

// Returns masks of the low and the high bits of a sprite's eight pixels. As in nes-py, a sprite
// that extends below the screen wraps around to the top, with other rows of its pattern.
std::pair<std::uint64_t, std::uint64_t> Ppu::sprite_row(int line,
                                                        const std::uint8_t* sprite) const {
  const int height = tall_sprites_ ? 16 : 8;
  int row = (line - static_cast<std::uint8_t>(sprite[0] + 1)) % height;
  if (sprite[2] & 0x80) row ^= height - 1;
  int address = sprite[1] * 16 + row + (sprite_table_ ? 0x1000 : 0);
  if (tall_sprites_) {
    row = (row & 7) | (row & 8) << 1;
    address = ((sprite[1] >> 1) * 32 + row) | (sprite[1] & 1) << 12;
  }
  const std::uint64_t low = kBitMasks.words[read_vram(static_cast<std::uint16_t>(address))];
  const std::uint64_t high = kBitMasks.words[read_vram(static_cast<std::uint16_t>(address + 8))];
  if (sprite[2] & 0x40) return {reverse_bytes(low), reverse_bytes(high)};
  return {low, high};
}

}  // namespace nes
