// A convolution without padding over one picture, channels innermost: forward, and back.
//
// No picture is unrolled: for each row of a filter, what the filter covers lies together, and the
// places of neighbouring filters are `stride * in_channels` halves apart, which is kStep for all
// three convolutions of the DQN of Nature once the first sees blocks of 4x4 pixels.
#pragma once
#include <algorithm>

#include "float16.h"
#ifdef HALVES
namespace halves {

constexpr int kStep = 64;      // halves between the places of two neighbouring filters
constexpr int kPanel = 64;     // terms of weights that lie together on the way back
constexpr int kPlaces = 200;    // at most so many are summed in 16 bits
constexpr int kGroup = 4;       // pictures whose gradients are summed together

struct Convolution {
  int in_side, in_channels, kernel, stride, out_channels;

  int out_side() const { return (in_side - kernel) / stride + 1; }
  int span() const { return kernel * in_channels; }  // halves under a row of a filter
  int terms() const { return kernel * span(); }
  int in_size() const { return in_side * in_side * in_channels; }
  int places() const { return out_side() * out_side(); }
  int out_size() const { return places() * out_channels; }
  int weights() const { return terms() * out_channels; }
  // where the filter's row `r` begins for the place (y, x)
  std::ptrdiff_t at(int y, int x, int r) const {
    return std::ptrdiff_t((y * stride + r) * in_side + x * stride) * in_channels;
  }
};

// Sums products for each place, adds the bias, and lets nothing below 0 through.
// `weights` is (terms, out_channels).
template <int Registers>
inline void forward(const Convolution& c, const half* in, const half* weights, const float* bias,
                    half* out) {
  constexpr int kWidth = Registers * kLanes, kMost = kRows<Registers>;
  const int side = c.out_side(), span = c.span();
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; x += kMost) {
      with_rows<kMost>(std::min(kMost, side - x), [&](auto count) {
        constexpr int Rows = decltype(count)::value;
        alignas(64) float total[Rows * kWidth];
        for (int i = 0; i < Rows; ++i)
          for (int n = 0; n < kWidth; ++n) total[i * kWidth + n] = bias[n];
        Tile<Rows, Registers> tile;
        for (int r = 0; r < c.kernel; ++r) {
          const half* a = in + c.at(y, x, r);
          const half* b = weights + std::ptrdiff_t(r) * span * kWidth;
          for (int k = 0; k < span; k += kChunk) {
            tile.template multiply<kStep>(a + k, 1, b + std::ptrdiff_t(k) * kWidth, kWidth,
                                          span - k < kChunk ? span - k : kChunk);
            tile.fold(total);
          }
        }
        half* to = out + std::ptrdiff_t(y * side + x) * kWidth;
        for (int n = 0; n < Rows * kWidth; n += 16)
          store16(to + n, narrowed(_mm512_max_ps(_mm512_load_ps(total + n), _mm512_setzero_ps())));
      });
    }
  }
}

// Adds the sum over places of (places, Width) to a row.
template <int Width>
inline void add_places(const half* back, int places, float* to) {
  __m512 sums[Width / 16];
  for (int n = 0; n < Width / 16; ++n) sums[n] = _mm512_loadu_ps(to + 16 * n);
  for (int p = 0; p < places; ++p, back += Width)
    for (int n = 0; n < Width / 16; ++n)
      sums[n] = _mm512_add_ps(sums[n], widened(load16(back + 16 * n)));
  for (int n = 0; n < Width / 16; ++n) _mm512_storeu_ps(to + 16 * n, sums[n]);
}

// What is known of some pictures: those of `in` and `back` are so far apart.
struct Group {
  int count;
  const half* in;
  std::ptrdiff_t in_apart;
  const half* back;
  std::ptrdiff_t back_apart;
};

// `weight_gradient` of the weights; `terms` is a row of places, see `Tile::multiply`.
template <int Registers, typename Terms>
inline void add_products(const Convolution& c, const Group& group, Terms terms, float* weights) {
  constexpr int kWidth = Registers * kLanes, kMost = kRows<Registers>;
  const int side = c.out_side(), span = c.span();
  for (int r = 0; r < c.kernel; ++r) {
    for (int k = 0; k < span; k += kMost) {
      with_rows<kMost>(std::min(kMost, span - k), [&](auto count) {
        float* to = weights + std::ptrdiff_t(r * span + k) * kWidth;
        Tile<decltype(count)::value, Registers> tile;
        int summed = 0;
        for (int s = 0; s < group.count; ++s) {
          const half* in = group.in + s * group.in_apart + k;
          const half* back = group.back + s * group.back_apart;
          for (int y = 0; y < side; ++y, back += side * kWidth, summed += side) {
            if (summed + side > kPlaces) {
              tile.fold(to);
              summed = 0;
            }
            tile.template multiply<1>(in + c.at(y, 0, r), kStep, back, kWidth, terms);
          }
        }
        tile.fold(to);
      });
    }
  }
}

// Adds what some pictures contribute to the gradient of the weights, (terms, out_channels), and of
// the bias. `back` of them is the gradient of what came out.
template <int Registers>
inline void weight_gradient(const Convolution& c, const Group& group, float* weights,
                            float* bias) {
  const int side = c.out_side();
  // what the second and the third layer give for pictures of 84 x 84: a loop takes a sixth longer
  if (Registers == 2 && side == 9)
    add_products<2>(c, group, std::make_integer_sequence<int, 9>(), weights);
  else if (Registers == 2 && side == 7)
    add_products<2>(c, group, std::make_integer_sequence<int, 7>(), weights);
  else
    add_products<Registers>(c, group, side, weights);
  for (int s = 0; s < group.count; ++s)
    add_places<Registers * kLanes>(group.back + s * group.back_apart, c.places(), bias);
}

// The gradient of what came in. `weights` is in panels of (64 out_channels, kPanel).
inline void input_gradient(const Convolution& c, const half* weights, const half* back, half* in) {
  constexpr int kWidth = 64, kMost = kRows<2>;
  const int side = c.out_side(), span = c.span();
  for (int n = 0; n < c.in_size(); n += kLanes) store32(in + n, _mm512_setzero_si512());
  for (int r = 0; r < c.kernel; ++r) {
    for (int k = 0; k < span; k += kPanel) {
      const half* b = weights + std::ptrdiff_t(r * span + k) * kWidth;
      for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; x += kMost) {
          with_rows<kMost>(std::min(kMost, side - x), [&](auto count) {
            constexpr int Rows = decltype(count)::value;
            Tile<Rows, 2> tile;
            tile.template multiply<kWidth>(back + std::ptrdiff_t(y * side + x) * kWidth, 1, b,
                                           kPanel, kWidth);
            tile.add(in + c.at(y, x, r) + k, kStep);
          });
        }
      }
    }
  }
}

// Where a ReLU let nothing through, nothing comes back.
inline void mask(const half* out, half* back, int size) {
  for (int n = 0; n < size; n += kLanes) {
    const __mmask32 open = _mm512_cmpgt_epi16_mask(load32(out + n), _mm512_setzero_si512());
    store32(back + n, _mm512_maskz_mov_epi16(open, load32(back + n)));
  }
}

}  // namespace halves
#endif
