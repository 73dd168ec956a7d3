// Converts a screen to the small gray image that an agent observes.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "console.h"

namespace nes {

// Gray level of each color of the palette.
using GrayPalette = std::array<std::uint8_t, 64>;

// Converts a screen to gray and resizes it by area averaging.
//
// With lengths measured in units of 1 / lcm(source side, target side), every overlap between a
// source pixel and a target pixel is an integer, and so are all sums. The result is the exact mean,
// rounded to the nearest integer.
class Preprocess {
 public:
  // `size`: height and width of the image. `crop`: rows removed from the top of the screen.
  // Throws std::invalid_argument if `crop` is negative or fewer than `size` rows remain.
  Preprocess(int size, int crop, const GrayPalette& gray_palette);

  int size() const { return size_; }

  // Writes the image, size x size, of a screen of palette indices 0..63.
  void operator()(const std::uint8_t* screen, std::uint8_t* image) const;

 private:
  // Weights of `from` source pixels in each of `to` target pixels: `taps` consecutive pixels each.
  struct Weights {
    Weights(int from, int to);

    int taps, total;  // `total`: sum of the weights of one target pixel
    std::vector<int> first_pixels;
    std::vector<std::uint16_t> values;  // (to, taps)
  };

  void sum_rows(const std::uint8_t* gray, int row, std::uint16_t* sums) const;
  void sum_columns(const std::uint16_t* sums, std::uint8_t* image_row) const;

  int size_, crop_;
  Weights row_weights_, column_weights_;
  GrayPalette gray_palette_;
};

}  // namespace nes
