// Matrix products of 16-bit floating-point numbers, for processors with AVX512-FP16.
//
// Sums of up to kChunk products are accumulated in float16, then added to float32 sums. This rounds
// less than bfloat16 inputs do, at twice the speed of float32 arithmetic.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define HAS_FLOAT16 1
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // reported in GCC's own intrinsics
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512fp16,avx2,fma,f16c")
#include <immintrin.h>

// A function that holds sums in registers must be inlined into its caller.
#define FORCE_INLINE inline __attribute__((always_inline))

namespace compute {

using float16_t = std::uint16_t;  // the bits of an IEEE 754 binary16 number

constexpr int kLanes = 32;         // float16 numbers in a register
constexpr int kAccumulators = 26;  // of 32 registers, those that hold the sums of a tile
constexpr int kChunk = 128;        // products that are summed in float16

// Rows of a tile that is `Registers` registers wide.
template <int Registers>
constexpr int kTileRows = kAccumulators / Registers;

inline __m512 to_float32(__m256i bits) { return _mm512_cvtph_ps(bits); }
inline __m256i to_float16(__m512 numbers) {
  return _mm512_cvtps_ph(numbers, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline __m256i load16(const float16_t* in) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in));
}
inline void store16(float16_t* out, __m256i bits) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), bits);
}
inline __m512i load32(const float16_t* in) { return _mm512_loadu_si512(in); }
inline void store32(float16_t* out, __m512i bits) { _mm512_storeu_si512(out, bits); }

inline __m512i add_float16(__m512i a, __m512i b) {
  asm("vaddph %1,%0,%0" : "+v"(a) : "v"(b));
  return a;
}

// A tile of Rows x (Registers * kLanes) float16 sums of products, kept in registers.
//
// Every element of `sums` is indexed by a constant expression, not by the counter of an unrolled
// loop: with a counter, the compiler keeps the array in memory.
template <int Rows, int Registers>
struct Tile {
  static constexpr int kWidth = Registers * kLanes;
  using Indices = std::make_integer_sequence<int, Rows * Registers>;
  __m512i sums[Rows * Registers];

  FORCE_INLINE Tile() { clear(Indices()); }

  // Adds a[row * RowStride + k * a_stride] * b[k * b_stride + column] for each k below `terms`.
  template <int RowStride>
  FORCE_INLINE void multiply(const float16_t* a, std::ptrdiff_t a_stride, const float16_t* b,
                             std::ptrdiff_t b_stride, int terms) {
    for (int k = 0; k < terms; ++k) multiply_term<RowStride>(a + k * a_stride, b + k * b_stride);
  }

  // The same for a number of terms known at compile time, without a loop.
  template <int RowStride, int... K>
  FORCE_INLINE void multiply(const float16_t* a, std::ptrdiff_t a_stride, const float16_t* b,
                             std::ptrdiff_t b_stride, std::integer_sequence<int, K...>) {
    (multiply_term<RowStride>(a + K * a_stride, b + K * b_stride), ...);
  }

  // Adds the sums to float32 sums, (Rows, kWidth), and sets them to 0.
  FORCE_INLINE void flush(float* out) {
    flush(out, Indices());
    clear(Indices());
  }

  // Adds the sums to a float16 matrix with this row stride.
  FORCE_INLINE void add_to(float16_t* out, std::ptrdiff_t stride) {
    add_to(out, stride, Indices());
  }

 private:
  template <int... I>
  FORCE_INLINE void clear(std::integer_sequence<int, I...>) {
    ((sums[I] = _mm512_setzero_si512()), ...);
  }

  template <int RowStride>
  FORCE_INLINE void multiply_term(const float16_t* a, const float16_t* b) {
    const __m512i row[2] = {load32(b), Registers == 2 ? load32(b + kLanes) : load32(b)};
    multiply_row<RowStride>(a, row, Indices());
  }

  // The factor is broadcast within the multiplication, which is free. A separate broadcast would
  // take an issue slot from a multiplication.
  template <int RowStride, int... I>
  FORCE_INLINE void multiply_row(const float16_t* a, const __m512i (&row)[2],
                                 std::integer_sequence<int, I...>) {
    (multiply_add(sums[I], a[I / Registers * RowStride], row[I % Registers]), ...);
  }

  FORCE_INLINE static void multiply_add(__m512i& sum, const float16_t& factor, __m512i row) {
    asm("vfmadd231ph %1%{1to32%},%2,%0" : "+v"(sum) : "m"(factor), "v"(row));
  }

  template <int... I>
  FORCE_INLINE void flush(float* out, std::integer_sequence<int, I...>) {
    (flush_register(sums[I], out + I * kLanes), ...);
  }

  FORCE_INLINE static void flush_register(__m512i sum, float* out) {
    const __m512 low = to_float32(_mm512_castsi512_si256(sum));
    const __m512 high = to_float32(_mm512_extracti64x4_epi64(sum, 1));
    _mm512_storeu_ps(out, _mm512_add_ps(_mm512_loadu_ps(out), low));
    _mm512_storeu_ps(out + 16, _mm512_add_ps(_mm512_loadu_ps(out + 16), high));
  }

  template <int... I>
  FORCE_INLINE void add_to(float16_t* out, std::ptrdiff_t stride,
                           std::integer_sequence<int, I...>) {
    (add_register(sums[I], out + I / Registers * stride + I % Registers * kLanes), ...);
  }

  FORCE_INLINE static void add_register(__m512i sum, float16_t* out) {
    store32(out, add_float16(load32(out), sum));
  }
};

// Calls `function` with `rows`, from 1 to MaxRows, as a compile-time constant.
template <int MaxRows, typename Function>
FORCE_INLINE void with_constant_rows(int rows, Function&& function) {
  if constexpr (MaxRows > 1) {
    if (rows < MaxRows) return with_constant_rows<MaxRows - 1>(rows, function);
  }
  function(std::integral_constant<int, MaxRows>());
}

}  // namespace compute
#endif
