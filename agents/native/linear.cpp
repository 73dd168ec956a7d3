// A wide linear layer, forward and back, as plain C functions for ctypes.
#include <algorithm>
#include <vector>

#include "dots.h"
#include "halves.h"
#include "scale.h"
#include "team.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

#ifdef HALVES
namespace halves {
namespace {

constexpr int kWidth = 64;  // columns of a tile

std::int64_t padded(std::int64_t count) { return (count + kLanes - 1) / kLanes * kLanes; }

// out[row * apart + column] = the products of Outputs rows of weights and States rows of inputs.
template <int Outputs, int States>
void dots(const half* weights, const half* inputs, int terms, const float* bias, float* out,
          std::ptrdiff_t apart) {
  DotTile<Outputs, States> tile;
  alignas(64) float total[Outputs * States] = {};
  for (int k = 0; k < terms; k += kChunk * kLanes) {
    tile.multiply(weights + k, inputs + k, terms, std::min(terms - k, kChunk * kLanes));
    tile.fold(total);
  }
  for (int n = 0; n < Outputs; ++n)
    for (int m = 0; m < States; ++m) out[m * apart + n] = total[n * States + m] + bias[n];
}

// Rows of a matrix, together, so that their distance is known to the compiler.
template <int Rows>
void gather(const half* from, std::ptrdiff_t apart, int terms, half (&to)[kRows * kChunk]) {
  for (int i = 0; i < Rows; ++i)
    for (int k = 0; k < terms; k += kLanes)
      store32(to + i * kChunk + k,
              terms - k >= kLanes
                  ? load32(from + i * apart + k)
                  : _mm512_maskz_loadu_epi16((1u << (terms - k)) - 1, from + i * apart + k));
}

// Adds to `total`, (Rows, Registers * 32), rows of `a` times `b`.
template <int Rows, int Registers>
void product(const half* a, std::ptrdiff_t apart, const half* b, std::ptrdiff_t width, int terms,
             float* total) {
  alignas(64) half rows[kRows * kChunk];
  Tile<Rows, Registers> tile;
  for (int k = 0; k < terms; k += kChunk) {
    const int some = std::min(kChunk, terms - k);
    gather<Rows>(a + k, apart, some, rows);
    tile.template multiply<kChunk>(rows, 1, b + k * width, width, some);
    tile.fold(total);
  }
}

// Rows of kWidth sums, times a factor, to rows that are `apart`.
void store(const float* total, int rows, float factor, float* to, std::ptrdiff_t apart) {
  const __m512 times = _mm512_set1_ps(factor);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < kWidth; j += 16)
      _mm512_storeu_ps(to + i * apart + j,
                       _mm512_mul_ps(_mm512_load_ps(total + i * kWidth + j), times));
}

// Some columns of rows that are `apart`, to rows `width` apart: lines of memory that are a power of
// two apart drive each other out of the caches.
void bring(const half* from, std::ptrdiff_t apart, std::int64_t rows, int columns, half* to,
           int width) {
  for (std::int64_t n = 0; n < rows; ++n) std::copy_n(from + n * apart, columns, to + n * width);
}

// What the errors give back to some of what came in, in tiles of kWidth inputs.
void inputs_gradient(const Stripe& tiles, std::int64_t count, int inputs, int outputs,
                     const half* weights, const half* errors, float factor, float* in_back) {
  static thread_local std::vector<half> buffer;
  half* near = scratch(buffer, std::size_t(outputs) * kWidth);
  for (auto k = tiles.first * kWidth; k < tiles.last * kWidth; k += kWidth) {
    bring(weights + k, inputs, outputs, kWidth, near, kWidth);
    for (std::int64_t s = 0; s < count; s += kRows) {
      with_rows(int(std::min<std::int64_t>(kRows, count - s)), [&](auto rows) {
        constexpr int Rows = decltype(rows)::value;
        alignas(64) float total[Rows * kWidth] = {};
        product<Rows, 2>(errors + s * outputs, outputs, near, kWidth, outputs, total);
        store(total, Rows, factor, in_back + s * inputs + k, inputs);
      });
    }
  }
}

// By rows of the weights, which are too many to be kept near: each is written once, in order.
// `states` is in tiles, (inputs / kWidth, count, kWidth).
void weights_gradient(const Stripe& outs, std::int64_t count, int inputs, int outputs,
                      const half* states, const half* errors, float factor, float* weights_back) {
  static thread_local std::vector<half> buffer;
  half* near = scratch(buffer, count * kRows);
  for (auto n = outs.first; n < outs.last; n += kRows) {
    const int some = int(std::min<std::int64_t>(kRows, outs.last - n));
    bring(errors + n, outputs, count, some, near, kRows);
    for (int k = 0; k < inputs; k += kWidth) {
      const half* tile_of_states = states + k * count;
      with_rows(some, [&](auto rows) {
        constexpr int Rows = decltype(rows)::value;
        alignas(64) float total[Rows * kWidth] = {};
        Tile<Rows, 2> tile;
        for (std::int64_t s = 0; s < count; s += kChunk) {
          tile.template multiply<1>(near + s * kRows, kRows, tile_of_states + s * kWidth, kWidth,
                                    int(std::min<std::int64_t>(kChunk, count - s)));
          tile.fold(total);
        }
        store(total, Rows, factor, weights_back + n * inputs + k, inputs);
      });
    }
  }
}

// Some outputs of all states, see `linear_forward`: a few states at a time, which stay near.
void compute(const Stripe& outs, std::int64_t count, int inputs, int outputs, const half* states,
             const half* weights, const float* bias, float* out) {
  for (std::int64_t s = 0; s < count; s += kDotColumns) {
    with_rows<kDotColumns>(int(std::min<std::int64_t>(kDotColumns, count - s)), [&](auto few) {
      for (auto n = outs.first; n < outs.last; n += kDotRows) {
        with_rows<kDotRows>(int(std::min<std::int64_t>(kDotRows, outs.last - n)), [&](auto some) {
          dots<decltype(some)::value, decltype(few)::value>(
              weights + n * inputs, states + s * inputs, inputs, bias + n,
              out + s * outputs + n, outputs);
        });
      }
    });
  }
}

}  // namespace

EXPORT void linear_weights(Team* team, std::int64_t count, const float* from, half* to) {
  team->share_rows(count, kSome, [&](Stripe some) {
    narrow(from + some.first, some.size(), 1, to + some.first);
  });
}

// out, float (count, outputs), = in, float (count, inputs), times the weights, and the bias.
// `weights` is halves (outputs, inputs); `inputs` in 64s.
EXPORT void linear_forward(Team* team, std::int64_t count, int inputs, int outputs,
                           const float* in, const half* weights, const float* bias, float* out) {
  static thread_local std::vector<half> buffer;
  half* states = scratch(buffer, count * inputs);
  team->share_rows(count * inputs, kSome, [&](Stripe some) {
    narrow(in + some.first, some.size(), 1, states + some.first);
  });
  team->share_rows(outputs, kDotRows, [&](Stripe some) {
    compute(some, count, inputs, outputs, states, weights, bias, out);
  });
}

// The gradients of `in`, the weights and the bias, from that of `out`; `inputs` in 64s.
EXPORT void linear_backward(Team* team, std::int64_t count, int inputs, int outputs,
                            const float* in, const half* weights, const float* back,
                            float* in_back, float* weights_back, float* bias_back) {
  static thread_local std::vector<half> buffer;
  half* states = scratch(buffer, count * (inputs + padded(outputs)));
  half* errors = states + count * inputs;
  const float scale = power_of_two_for(back, count * outputs);
  narrow(back, count * outputs, scale, errors);
  team->share_rows(inputs / kWidth, 1, [&](Stripe some) {
    for (auto k = some.first * kWidth; k < some.last * kWidth; k += kWidth)
      for (std::int64_t s = 0; s < count; ++s)
        narrow(in + s * inputs + k, kWidth, 1, states + k * count + s * kWidth);
  });
  team->share(2 * kParts, [&](int part) {
    if (part < kParts) {
      const Stripe some(inputs / kWidth, part, kParts);
      inputs_gradient(some, count, inputs, outputs, weights, errors, 1 / scale, in_back);
      return;
    }
    const Stripe outs(outputs, part - kParts, kParts);
    weights_gradient(outs, count, inputs, outputs, states, errors, 1 / scale, weights_back);
    std::fill(bias_back + outs.first, bias_back + outs.last, 0.0f);
    for (std::int64_t s = 0; s < count; ++s)
      for (auto n = outs.first; n < outs.last; ++n) bias_back[n] += back[s * outputs + n];
  });
}

}  // namespace halves
#endif
