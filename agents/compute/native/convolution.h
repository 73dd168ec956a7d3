// A convolution without padding over one image, with channels innermost: forward and backward.
//
// No im2col is needed. The inputs under one row of a filter are contiguous, and the windows of
// horizontally adjacent output positions are `stride * in_channels` numbers apart. That is
// kWindowStride for all three convolutions of the Nature DQN, once the first one sees blocks of 4x4
// pixels as channels.
#pragma once
#include <algorithm>

#include "float16.h"
#ifdef HAS_FLOAT16
namespace compute {

constexpr int kWindowStride = 64;  // numbers between the windows of adjacent output positions
constexpr int kPanel = 64;         // terms per panel of weights in the backward pass
constexpr int kMaxPositions = 200;  // positions whose products are summed in float16
constexpr int kGroup = 4;           // images whose gradients are summed together

struct Convolution {
  int in_side, in_channels, kernel, stride, out_channels;

  int out_side() const { return (in_side - kernel) / stride + 1; }
  int kernel_row_size() const { return kernel * in_channels; }
  int num_terms() const { return kernel * kernel_row_size(); }  // products per output
  int in_size() const { return in_side * in_side * in_channels; }
  int num_positions() const { return out_side() * out_side(); }
  int out_size() const { return num_positions() * out_channels; }
  int num_weights() const { return num_terms() * out_channels; }
  // Offset of the inputs under the filter's row `r` at output position (y, x).
  std::ptrdiff_t in_offset(int y, int x, int r) const {
    return std::ptrdiff_t((y * stride + r) * in_side + x * stride) * in_channels;
  }
};

// Computes the convolution, adds the bias and applies ReLU.
// `weights`: (num_terms, out_channels). `out`: (num_positions, out_channels).
template <int Registers>
inline void forward(const Convolution& c, const float16_t* in, const float16_t* weights,
                    const float* bias, float16_t* out) {
  constexpr int kWidth = Registers * kLanes, kMaxRows = kTileRows<Registers>;
  const int side = c.out_side(), row_size = c.kernel_row_size();
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; x += kMaxRows) {
      with_constant_rows<kMaxRows>(std::min(kMaxRows, side - x), [&](auto rows) {
        constexpr int Rows = decltype(rows)::value;
        alignas(64) float sums[Rows * kWidth];
        for (int i = 0; i < Rows; ++i)
          for (int n = 0; n < kWidth; ++n) sums[i * kWidth + n] = bias[n];
        Tile<Rows, Registers> tile;
        for (int r = 0; r < c.kernel; ++r) {
          const float16_t* a = in + c.in_offset(y, x, r);
          const float16_t* b = weights + std::ptrdiff_t(r) * row_size * kWidth;
          for (int k = 0; k < row_size; k += kChunk) {
            tile.template multiply<kWindowStride>(a + k, 1, b + std::ptrdiff_t(k) * kWidth, kWidth,
                                                  row_size - k < kChunk ? row_size - k : kChunk);
            tile.flush(sums);
          }
        }
        float16_t* tile_out = out + std::ptrdiff_t(y * side + x) * kWidth;
        for (int n = 0; n < Rows * kWidth; n += 16)
          // The maximum is its second operand where either is NaN, so a NaN passes the ReLU, as in
          // torch, and the update is skipped as not finite.
          store16(tile_out + n,
                  to_float16(_mm512_max_ps(_mm512_setzero_ps(), _mm512_load_ps(sums + n))));
      });
    }
  }
}

// Adds the sum over positions of `grad_out`, (num_positions, Width), to `grad_bias`.
template <int Width>
inline void add_bias_gradient(const float16_t* grad_out, int num_positions, float* grad_bias) {
  __m512 sums[Width / 16];
  for (int n = 0; n < Width / 16; ++n) sums[n] = _mm512_loadu_ps(grad_bias + 16 * n);
  for (int p = 0; p < num_positions; ++p, grad_out += Width)
    for (int n = 0; n < Width / 16; ++n)
      sums[n] = _mm512_add_ps(sums[n], to_float32(load16(grad_out + 16 * n)));
  for (int n = 0; n < Width / 16; ++n) _mm512_storeu_ps(grad_bias + 16 * n, sums[n]);
}

// Inputs and output gradients of `count` images, with the strides between images.
struct Group {
  int count;
  const float16_t* in;
  std::ptrdiff_t in_stride;
  const float16_t* grad_out;
  std::ptrdiff_t grad_out_stride;
};

// Adds to the weight gradient, see `add_gradients`. `terms`: one row of output positions, as a
// number or a compile-time sequence, see `Tile::multiply`.
template <int Registers, typename Terms>
inline void add_weight_gradient(const Convolution& c, const Group& group, Terms terms,
                                float* grad_weights) {
  constexpr int kWidth = Registers * kLanes, kMaxRows = kTileRows<Registers>;
  const int side = c.out_side(), row_size = c.kernel_row_size();
  for (int r = 0; r < c.kernel; ++r) {
    for (int k = 0; k < row_size; k += kMaxRows) {
      with_constant_rows<kMaxRows>(std::min(kMaxRows, row_size - k), [&](auto rows) {
        float* out = grad_weights + std::ptrdiff_t(r * row_size + k) * kWidth;
        Tile<decltype(rows)::value, Registers> tile;
        int positions = 0;
        for (int s = 0; s < group.count; ++s) {
          const float16_t* in = group.in + s * group.in_stride + k;
          const float16_t* grad_out = group.grad_out + s * group.grad_out_stride;
          for (int y = 0; y < side; ++y, grad_out += side * kWidth, positions += side) {
            if (positions + side > kMaxPositions) {
              tile.flush(out);
              positions = 0;
            }
            tile.template multiply<1>(in + c.in_offset(y, 0, r), kWindowStride, grad_out, kWidth,
                                      terms);
          }
        }
        tile.flush(out);
      });
    }
  }
}

// Adds the contributions of a group of images to the gradients of the weights,
// (num_terms, out_channels), and of the bias.
template <int Registers>
inline void add_gradients(const Convolution& c, const Group& group, float* grad_weights,
                          float* grad_bias) {
  const int side = c.out_side();
  // The sides of the second and third layer for 84x84 frames: a loop takes a sixth longer.
  if (Registers == 2 && side == 9)
    add_weight_gradient<2>(c, group, std::make_integer_sequence<int, 9>(), grad_weights);
  else if (Registers == 2 && side == 7)
    add_weight_gradient<2>(c, group, std::make_integer_sequence<int, 7>(), grad_weights);
  else
    add_weight_gradient<Registers>(c, group, side, grad_weights);
  for (int s = 0; s < group.count; ++s)
    add_bias_gradient<Registers * kLanes>(group.grad_out + s * group.grad_out_stride,
                                          c.num_positions(), grad_bias);
}

// Computes the gradient of the input. `weights`: panels of (64 out_channels, kPanel).
inline void input_gradient(const Convolution& c, const float16_t* weights,
                           const float16_t* grad_out, float16_t* grad_in) {
  constexpr int kWidth = 64, kMaxRows = kTileRows<2>;
  const int side = c.out_side(), row_size = c.kernel_row_size();
  for (int n = 0; n < c.in_size(); n += kLanes) store32(grad_in + n, _mm512_setzero_si512());
  for (int r = 0; r < c.kernel; ++r) {
    for (int k = 0; k < row_size; k += kPanel) {
      const float16_t* b = weights + std::ptrdiff_t(r * row_size + k) * kWidth;
      for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; x += kMaxRows) {
          with_constant_rows<kMaxRows>(std::min(kMaxRows, side - x), [&](auto rows) {
            constexpr int Rows = decltype(rows)::value;
            Tile<Rows, 2> tile;
            tile.template multiply<kWidth>(grad_out + std::ptrdiff_t(y * side + x) * kWidth, 1, b,
                                           kPanel, kWidth);
            tile.add_to(grad_in + c.in_offset(y, x, r) + k, kWindowStride);
          });
        }
      }
    }
  }
}

// Sets the gradient to 0 where ReLU's output is 0.
inline void relu_backward(const float16_t* out, float16_t* grad, int size) {
  for (int n = 0; n < size; n += kLanes) {
    const __mmask32 positive = _mm512_cmpgt_epi16_mask(load32(out + n), _mm512_setzero_si512());
    store32(grad + n, _mm512_maskz_mov_epi16(positive, load32(grad + n)));
  }
}

}  // namespace compute
#endif
