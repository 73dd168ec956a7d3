// A wide linear layer, forward and back, as plain C functions for ctypes.
#include <algorithm>
#include <vector>

#include "float16.h"
#include "scale.h"
#include "thread_pool.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

#ifdef HALVES
namespace halves {
namespace {

constexpr int kWidth = 64;                     // columns of a tile
constexpr int kMost = kRows<kWidth / kLanes>;  // rows of a tile

std::int64_t panels(std::int64_t outputs) { return (outputs + kWidth - 1) / kWidth; }

// Rows of a matrix, together, so that their distance is known to the compiler.
template <int Rows>
void gather(const half* from, std::ptrdiff_t apart, int terms, half (&to)[kMost * kChunk]) {
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
  alignas(64) half rows[kMost * kChunk];
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
    for (std::int64_t s = 0; s < count; s += kMost) {
      with_rows<kMost>(int(std::min<std::int64_t>(kMost, count - s)), [&](auto rows) {
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
  half* near = scratch(buffer, count * kMost);
  for (auto n = outs.first; n < outs.last; n += kMost) {
    const int some = int(std::min<std::int64_t>(kMost, outs.last - n));
    bring(errors + n, outputs, count, some, near, kMost);
    for (int k = 0; k < inputs; k += kWidth) {
      const half* tile_of_states = states + k * count;
      with_rows<kMost>(some, [&](auto rows) {
        constexpr int Rows = decltype(rows)::value;
        alignas(64) float total[Rows * kWidth] = {};
        Tile<Rows, 2> tile;
        for (std::int64_t s = 0; s < count; s += kChunk) {
          tile.template multiply<1>(near + s * kMost, kMost, tile_of_states + s * kWidth, kWidth,
                                    int(std::min<std::int64_t>(kChunk, count - s)));
          tile.fold(total);
        }
        store(total, Rows, factor, weights_back + n * inputs + k, inputs);
      });
    }
  }
}

// Some columns of `across`, (outputs, inputs), as rows of `down`, (inputs, kWidth): two at a time.
void turn(const half* across, int inputs, int outputs, half* down) {
  const __m512i apart = _mm512_mullo_epi32(
      _mm512_set1_epi32(inputs),
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  for (int k = 0; k < inputs; k += 2) {
    for (int n = 0; n < kWidth; n += 16) {
      const int some = std::clamp(outputs - n, 0, 16);
      const __m512i pairs = _mm512_mask_i32gather_epi32(
          _mm512_setzero_si512(), (1u << some) - 1, apart,
          across + std::ptrdiff_t(n) * inputs + k, sizeof(half));
      store16(down + k * kWidth + n, _mm512_cvtepi32_epi16(pairs));
      store16(down + (k + 1) * kWidth + n, _mm512_cvtepi32_epi16(_mm512_srli_epi32(pairs, 16)));
    }
  }
}

// A panel of outputs of all states, see `linear_forward`.
void compute(std::int64_t count, int inputs, int outputs, const half* states, const half* panel,
             const float* bias, std::ptrdiff_t apart, float* out) {
  alignas(64) float biases[kWidth] = {};
  std::copy_n(bias, outputs, biases);
  for (std::int64_t s = 0; s < count; s += kMost) {
    with_rows<kMost>(int(std::min<std::int64_t>(kMost, count - s)), [&](auto rows) {
      constexpr int Rows = decltype(rows)::value;
      alignas(64) float total[Rows * kWidth];
      for (int i = 0; i < Rows; ++i) std::copy_n(biases, kWidth, total + i * kWidth);
      product<Rows, 2>(states + s * inputs, inputs, panel, kWidth, inputs, total);
      for (int i = 0; i < Rows; ++i)
        std::copy_n(total + i * kWidth, outputs, out + (s + i) * apart);
    });
  }
}

}  // namespace

// How many halves `linear_weights` writes: those of the weights, then in panels of kWidth outputs.
EXPORT std::int64_t linear_weight_count(int inputs, int outputs) {
  return std::int64_t(inputs) * (outputs + panels(outputs) * kWidth);
}

EXPORT void linear_weights(ThreadPool* pool, int inputs, int outputs, const float* from, half* to) {
  half* down = to + std::int64_t(inputs) * outputs;
  pool->share_rows(panels(outputs), 1, [&](Stripe some) {
    for (auto panel = some.first; panel < some.last; ++panel) {
      const auto first = panel * kWidth * inputs;
      const int columns = int(std::min<std::int64_t>(kWidth, outputs - panel * kWidth));
      narrow(from + first, std::int64_t(columns) * inputs, 1, to + first);
      turn(to + first, inputs, columns, down + first);
    }
  });
}

// out, float (count, outputs), = in, float (count, inputs), times the weights, and the bias.
// `weights` is what `linear_weights` wrote; `inputs` in 64s.
EXPORT void linear_forward(ThreadPool* pool, std::int64_t count, int inputs, int outputs,
                           const float* in, const half* weights, const float* bias, float* out) {
  static thread_local std::vector<half> buffer;
  half* states = scratch(buffer, count * inputs);
  pool->share_rows(count * inputs, kSome, [&](Stripe some) {
    narrow(in + some.first, some.size(), 1, states + some.first);
  });
  const half* down = weights + std::int64_t(inputs) * outputs;
  pool->share_rows(panels(outputs), 1, [&](Stripe some) {
    for (auto panel = some.first; panel < some.last; ++panel) {
      const auto n = panel * kWidth;
      compute(count, inputs, int(std::min<std::int64_t>(kWidth, outputs - n)), states,
              down + n * inputs, bias + n, outputs, out + n);
    }
  });
}

// The gradients of `in`, the weights and the bias, from that of `out`; `inputs` in 64s.
EXPORT void linear_backward(ThreadPool* pool, std::int64_t count, int inputs, int outputs,
                            const float* in, const half* weights, const float* back,
                            float* in_back, float* weights_back, float* bias_back) {
  static thread_local std::vector<half> buffer;
  half* states = scratch(buffer, count * (inputs + outputs));
  half* errors = states + count * inputs;
  const float scale = power_of_two_for(back, count * outputs);
  narrow(back, count * outputs, scale, errors);
  pool->share_rows(inputs / kWidth, 1, [&](Stripe some) {
    for (auto k = some.first * kWidth; k < some.last * kWidth; k += kWidth)
      for (std::int64_t s = 0; s < count; ++s)
        narrow(in + s * inputs + k, kWidth, 1, states + k * count + s * kWidth);
  });
  pool->share(2 * kParts, [&](int part) {
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
