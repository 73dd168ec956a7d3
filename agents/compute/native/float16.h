// Products of matrices of 16-bit floating-point numbers, for processors with AVX512-FP16.
//
// Sums over up to kChunk terms are kept in 16 bits, then added to 32-bit ones: that rounds less than
// inputs in bfloat16 would, at twice the speed of 32-bit arithmetic.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
#define HALVES 1
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // in its own intrinsics
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512fp16,avx2,fma,f16c")
#include <immintrin.h>

// What holds sums in registers has to be part of its caller.
#define HALVES_INLINE inline __attribute__((always_inline))

namespace halves {

using half = std::uint16_t;  // the bits of an IEEE 754 binary16

constexpr int kLanes = 32;   // halves in a register
constexpr int kSums = 26;    // of 32 registers that hold sums of a tile
constexpr int kChunk = 128;  // terms that are summed in 16 bits

// Of a tile with so many registers a row.
template <int Registers>
constexpr int kRows = kSums / Registers;

inline __m512 widened(__m256i bits) { return _mm512_cvtph_ps(bits); }
inline __m256i narrowed(__m512 numbers) {
  return _mm512_cvtps_ph(numbers, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline __m256i load16(const half* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
inline void store16(half* to, __m256i bits) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), bits);
}
inline __m512i load32(const half* from) { return _mm512_loadu_si512(from); }
inline void store32(half* to, __m512i bits) { _mm512_storeu_si512(to, bits); }

inline __m512i sum(__m512i a, __m512i b) {
  asm("vaddph %1,%0,%0" : "+v"(a) : "v"(b));
  return a;
}

// 16-bit sums of Rows x Registers * kLanes products, in registers.
//
// Every place of the array is named by a constant of the language, not by a counter of a loop that
// is unrolled: else the compiler leaves the array in memory.
template <int Rows, int Registers>
struct Tile {
  static constexpr int kWidth = Registers * kLanes;
  using All = std::make_integer_sequence<int, Rows * Registers>;
  __m512i sums[Rows * Registers];

  HALVES_INLINE Tile() { clear(All()); }

  // Adds a[row * Stride + k * step] times the k-th row of b, for each k.
  template <int Stride>
  HALVES_INLINE void multiply(const half* a, std::ptrdiff_t step, const half* b,
                              std::ptrdiff_t width, int terms) {
    for (int k = 0; k < terms; ++k) multiply_term<Stride>(a + k * step, b + k * width);
  }

  // The same for a number of terms that the compiler knows, without a loop.
  template <int Stride, int... K>
  HALVES_INLINE void multiply(const half* a, std::ptrdiff_t step, const half* b,
                              std::ptrdiff_t width, std::integer_sequence<int, K...>) {
    (multiply_term<Stride>(a + K * step, b + K * width), ...);
  }

  // Adds the sums to 32-bit ones, whose rows are kWidth apart, and begins anew.
  HALVES_INLINE void fold(float* to) {
    fold(to, All());
    clear(All());
  }

  // Adds the sums to 16-bit ones, whose rows are `apart`.
  HALVES_INLINE void add(half* to, std::ptrdiff_t apart) { add(to, apart, All()); }

 private:
  template <int... I>
  HALVES_INLINE void clear(std::integer_sequence<int, I...>) {
    ((sums[I] = _mm512_setzero_si512()), ...);
  }

  template <int Stride>
  HALVES_INLINE void multiply_term(const half* a, const half* b) {
    const __m512i row[2] = {load32(b), Registers == 2 ? load32(b + kLanes) : load32(b)};
    multiply_row<Stride>(a, row, All());
  }

  // The factor is read with a broadcast inside the multiplication, which costs nothing; as an
  // instruction of its own it would take the place of a multiplication.
  template <int Stride, int... I>
  HALVES_INLINE void multiply_row(const half* a, const __m512i (&row)[2],
                                  std::integer_sequence<int, I...>) {
    (multiply_one(sums[I], a[I / Registers * Stride], row[I % Registers]), ...);
  }

  HALVES_INLINE static void multiply_one(__m512i& total, const half& factor, __m512i row) {
    asm("vfmadd231ph %1%{1to32%},%2,%0" : "+v"(total) : "m"(factor), "v"(row));
  }

  template <int... I>
  HALVES_INLINE void fold(float* to, std::integer_sequence<int, I...>) {
    (fold_one(sums[I], to + I * kLanes), ...);
  }

  HALVES_INLINE static void fold_one(__m512i total, float* to) {
    const __m512 low = widened(_mm512_castsi512_si256(total));
    const __m512 high = widened(_mm512_extracti64x4_epi64(total, 1));
    _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), low));
    _mm512_storeu_ps(to + 16, _mm512_add_ps(_mm512_loadu_ps(to + 16), high));
  }

  template <int... I>
  HALVES_INLINE void add(half* to, std::ptrdiff_t apart, std::integer_sequence<int, I...>) {
    (add_one(sums[I], to + I / Registers * apart + I % Registers * kLanes), ...);
  }

  HALVES_INLINE static void add_one(__m512i total, half* to) {
    store32(to, sum(load32(to), total));
  }
};

// Calls what is given with a number, from 1 to Most, that the compiler knows.
template <int Most, typename Call>
HALVES_INLINE void with_rows(int rows, Call&& call) {
  if constexpr (Most > 1) {
    if (rows < Most) return with_rows<Most - 1>(rows, call);
  }
  call(std::integral_constant<int, Most>());
}

}  // namespace halves
#endif
