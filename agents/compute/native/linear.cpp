// A wide linear layer, forward and backward, as C functions for ctypes.
#include <algorithm>
#include <vector>

#include "export.h"
#include "float16.h"
#include "scale.h"
#include "thread_pool.h"

#ifdef HAS_FLOAT16
namespace compute {
namespace {

constexpr int kWidth = 64;                            // columns of a tile
constexpr int kMaxRows = kTileRows<kWidth / kLanes>;  // rows of a tile

std::int64_t num_panels(std::int64_t outputs) { return (outputs + kWidth - 1) / kWidth; }

// Copies `terms` columns of Rows rows to a buffer with a compile-time stride.
template <int Rows>
void pack_rows(const float16_t* in, std::ptrdiff_t stride, int terms,
               float16_t (&out)[kMaxRows * kChunk]) {
  for (int i = 0; i < Rows; ++i)
    for (int k = 0; k < terms; k += kLanes)
      store32(out + i * kChunk + k,
              terms - k >= kLanes
                  ? load32(in + i * stride + k)
                  : _mm512_maskz_loadu_epi16((1u << (terms - k)) - 1, in + i * stride + k));
}

// Adds Rows rows of `a` times `b` to `sums`, (Rows, Registers * kLanes).
template <int Rows, int Registers>
void add_product(const float16_t* a, std::ptrdiff_t a_stride, const float16_t* b,
                 std::ptrdiff_t b_stride, int terms, float* sums) {
  alignas(64) float16_t rows[kMaxRows * kChunk];
  Tile<Rows, Registers> tile;
  for (int k = 0; k < terms; k += kChunk) {
    const int chunk = std::min(kChunk, terms - k);
    pack_rows<Rows>(a + k, a_stride, chunk, rows);
    tile.template multiply<kChunk>(rows, 1, b + k * b_stride, b_stride, chunk);
    tile.flush(sums);
  }
}

// Writes `sums`, (rows, kWidth), times a factor.
void store(const float* sums, int rows, float factor, float* out, std::ptrdiff_t out_stride) {
  const __m512 factors = _mm512_set1_ps(factor);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < kWidth; j += 16)
      _mm512_storeu_ps(out + i * out_stride + j,
                       _mm512_mul_ps(_mm512_load_ps(sums + i * kWidth + j), factors));
}

// Copies some columns of a matrix to one with a small stride: rows that are a power of two apart
// evict each other from the caches.
void pack_columns(const float16_t* in, std::ptrdiff_t in_stride, std::int64_t rows, int columns,
                  float16_t* out, int out_stride) {
  for (std::int64_t n = 0; n < rows; ++n)
    std::copy_n(in + n * in_stride, columns, out + n * out_stride);
}

// Computes the input gradient for some tiles of kWidth inputs.
void input_gradient(const Range& tiles, std::int64_t count, int inputs, int outputs,
                    const float16_t* weights, const float16_t* grad_out, float factor,
                    float* grad_in) {
  static thread_local std::vector<float16_t> buffer;
  float16_t* packed = scratch(buffer, std::size_t(outputs) * kWidth);
  for (auto k = tiles.first * kWidth; k < tiles.last * kWidth; k += kWidth) {
    pack_columns(weights + k, inputs, outputs, kWidth, packed, kWidth);
    for (std::int64_t s = 0; s < count; s += kMaxRows) {
      const auto compute_rows = [&](auto rows) {
        constexpr int Rows = decltype(rows)::value;
        alignas(64) float sums[Rows * kWidth] = {};
        add_product<Rows, 2>(grad_out + s * outputs, outputs, packed, kWidth, outputs, sums);
        store(sums, Rows, factor, grad_in + s * inputs + k, inputs);
      };
      with_constant_rows<kMaxRows>(int(std::min<std::int64_t>(kMaxRows, count - s)), compute_rows);
    }
  }
}

// Computes the weight gradient for some outputs. The weights do not fit into the cache, so each of
// their rows is written once, in order. `states`: tiles (inputs / kWidth, count, kWidth).
void weight_gradient(const Range& range, std::int64_t count, int inputs, int outputs,
                     const float16_t* states, const float16_t* grad_out, float factor,
                     float* grad_weights) {
  static thread_local std::vector<float16_t> buffer;
  float16_t* packed = scratch(buffer, count * kMaxRows);
  for (auto n = range.first; n < range.last; n += kMaxRows) {
    const int columns = int(std::min<std::int64_t>(kMaxRows, range.last - n));
    pack_columns(grad_out + n, outputs, count, columns, packed, kMaxRows);
    for (int k = 0; k < inputs; k += kWidth) {
      const float16_t* states_tile = states + k * count;
      with_constant_rows<kMaxRows>(columns, [&](auto rows) {
        constexpr int Rows = decltype(rows)::value;
        alignas(64) float sums[Rows * kWidth] = {};
        Tile<Rows, 2> tile;
        for (std::int64_t s = 0; s < count; s += kChunk) {
          tile.template multiply<1>(packed + s * kMaxRows, kMaxRows, states_tile + s * kWidth,
                                    kWidth, int(std::min<std::int64_t>(kChunk, count - s)));
          tile.flush(sums);
        }
        store(sums, Rows, factor, grad_weights + n * inputs + k, inputs);
      });
    }
  }
}

// Transposes up to kWidth rows of `weights`, (outputs, inputs), to a panel (inputs, kWidth). Each
// gather reads the weights of two inputs.
void transpose_panel(const float16_t* weights, int inputs, int outputs, float16_t* panel) {
  const __m512i row_offsets = _mm512_mullo_epi32(
      _mm512_set1_epi32(inputs),
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  for (int k = 0; k < inputs; k += 2) {
    for (int n = 0; n < kWidth; n += 16) {
      const int rows = std::clamp(outputs - n, 0, 16);
      const __m512i pairs = _mm512_mask_i32gather_epi32(
          _mm512_setzero_si512(), (1u << rows) - 1, row_offsets,
          weights + std::ptrdiff_t(n) * inputs + k, sizeof(float16_t));
      store16(panel + k * kWidth + n, _mm512_cvtepi32_epi16(pairs));
      store16(panel + (k + 1) * kWidth + n, _mm512_cvtepi32_epi16(_mm512_srli_epi32(pairs, 16)));
    }
  }
}

// Computes up to kWidth outputs of all states from one panel of weights.
void forward_panel(std::int64_t count, int inputs, int outputs, const float16_t* states,
                   const float16_t* panel, const float* bias, std::ptrdiff_t out_stride,
                   float* out) {
  alignas(64) float biases[kWidth] = {};
  std::copy_n(bias, outputs, biases);
  for (std::int64_t s = 0; s < count; s += kMaxRows) {
    with_constant_rows<kMaxRows>(int(std::min<std::int64_t>(kMaxRows, count - s)), [&](auto rows) {
      constexpr int Rows = decltype(rows)::value;
      alignas(64) float sums[Rows * kWidth];
      for (int i = 0; i < Rows; ++i) std::copy_n(biases, kWidth, sums + i * kWidth);
      add_product<Rows, 2>(states + s * inputs, inputs, panel, kWidth, inputs, sums);
      for (int i = 0; i < Rows; ++i)
        std::copy_n(sums + i * kWidth, outputs, out + (s + i) * out_stride);
    });
  }
}

}  // namespace

// Number of float16 values that linear_pack_weights() writes: the weights, (outputs, inputs), then
// panels of (inputs, kWidth).
EXPORT std::int64_t linear_packed_size(int inputs, int outputs) {
  return std::int64_t(inputs) * (outputs + num_panels(outputs) * kWidth);
}

// Converts the weights, float (outputs, inputs), to float16.
EXPORT void linear_pack_weights(ThreadPool* pool, int inputs, int outputs, const float* in,
                                float16_t* out) {
  float16_t* panels = out + std::int64_t(inputs) * outputs;
  pool->parallel_for_ranges(num_panels(outputs), 1, [&](Range range) {
    for (auto panel = range.first; panel < range.last; ++panel) {
      const auto first = panel * kWidth * inputs;
      const int rows = int(std::min<std::int64_t>(kWidth, outputs - panel * kWidth));
      convert(in + first, std::int64_t(rows) * inputs, 1, out + first);
      transpose_panel(out + first, inputs, rows, panels + first);
    }
  });
}

// Computes out = in * weights^T + bias. `in`: float (count, inputs); `inputs` must be a multiple of
// 64. `weights`: from linear_pack_weights(). `out`: float (count, outputs).
EXPORT void linear_forward(ThreadPool* pool, std::int64_t count, int inputs, int outputs,
                           const float* in, const float16_t* weights, const float* bias,
                           float* out) {
  pool->guard([&] {
    static thread_local std::vector<float16_t> buffer;
    float16_t* states = scratch(buffer, count * inputs);
    pool->parallel_for_ranges(count * inputs, kMinElements, [&](Range range) {
      convert(in + range.first, range.size(), 1, states + range.first);
    });
    const float16_t* panels = weights + std::int64_t(inputs) * outputs;
    pool->parallel_for_ranges(num_panels(outputs), 1, [&](Range range) {
      for (auto panel = range.first; panel < range.last; ++panel) {
        const auto n = panel * kWidth;
        forward_panel(count, inputs, int(std::min<std::int64_t>(kWidth, outputs - n)), states,
                      panels + n * inputs, bias + n, outputs, out + n);
      }
    });
  });
}

// Computes the gradients of the input, the weights and the bias from `grad_out`, (count, outputs).
// `inputs` must be a multiple of 64.
EXPORT void linear_backward(ThreadPool* pool, std::int64_t count, int inputs, int outputs,
                            const float* in, const float16_t* weights, const float* grad_out,
                            float* grad_in, float* grad_weights, float* grad_bias) {
  pool->guard([&] {
    static thread_local std::vector<float16_t> buffer;
    float16_t* states = scratch(buffer, count * (inputs + outputs));
    float16_t* scaled = states + count * inputs;
    const float scale = gradient_scale(grad_out, count * outputs);
    convert(grad_out, count * outputs, scale, scaled);
    pool->parallel_for_ranges(inputs / kWidth, 1, [&](Range range) {
      for (auto k = range.first * kWidth; k < range.last * kWidth; k += kWidth)
        for (std::int64_t s = 0; s < count; ++s)
          convert(in + s * inputs + k, kWidth, 1, states + k * count + s * kWidth);
    });
    pool->parallel_for(2 * kParts, [&](int part) {
      if (part < kParts) {
        const Range range(inputs / kWidth, part, kParts);
        input_gradient(range, count, inputs, outputs, weights, scaled, 1 / scale, grad_in);
        return;
      }
      const Range range(outputs, part - kParts, kParts);
      weight_gradient(range, count, inputs, outputs, states, scaled, 1 / scale, grad_weights);
      std::fill(grad_bias + range.first, grad_bias + range.last, 0.0f);
      for (std::int64_t s = 0; s < count; ++s)
        for (auto n = range.first; n < range.last; ++n) grad_bias[n] += grad_out[s * outputs + n];
    });
  });
}

}  // namespace compute
#endif
