// Makes of a screen what an agent sees: a small gray picture.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "console.h"

namespace nes {

// How bright each color of the palette is in a picture.
using Grays = std::array<std::uint8_t, 64>;

// The screen in gray, resized by area.
//
// Measured in what a side of the screen and one of the picture have in common, the share of each
// pixel in another is a whole number. So are all sums, and the picture is the exact mean, rounded.
class Preprocess {
 public:
  // `size`: height and width of the picture; `crop`: rows at the screen's top that it leaves out.
  // Throws std::invalid_argument if that is negative, or fewer are left than the picture has.
  Preprocess(int size, int crop, const Grays& grays);

  int size() const { return size_; }

  // Writes the picture, size x size, of a screen of palette indices 0..63.
  void operator()(const std::uint8_t* screen, std::uint8_t* picture) const;

 private:
  // What of `from` pixels goes into each of `to`: `taps` of them, from the first on.
  struct Shares {
    Shares(int from, int to);

    int taps, whole;  // `whole`: what the shares of one come to
    std::vector<int> firsts;
    std::vector<std::uint16_t> values;  // to x taps
  };

  void sum_rows(const std::uint8_t* gray, int row, std::uint16_t* sums) const;
  void sum_columns(const std::uint16_t* sums, std::uint8_t* picture) const;

  int size_, crop_;
  Shares rows_, columns_;
  Grays grays_;
};

}  // namespace nes
