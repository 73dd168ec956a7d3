// Products of rows with rows, summed along them: for few states, which would not fill a `Tile`.
#pragma once
#include "halves.h"
#ifdef HALVES
namespace halves {

constexpr int kDotRows = 4;     // of weights at a time
constexpr int kDotColumns = 6;  // states at a time: 24 of 32 registers hold sums

// Sums in 16 bits along Rows rows of one matrix and Columns of another, a register for each pair.
template <int Rows, int Columns>
struct DotTile {
  using All = std::make_integer_sequence<int, Rows * Columns>;
  __m512i sums[Rows * Columns];

  HALVES_INLINE DotTile() { clear(All()); }

  // Adds products of `terms` numbers, a multiple of kLanes, of rows that are `apart`.
  HALVES_INLINE void multiply(const half* a, const half* b, std::ptrdiff_t apart, int terms) {
    for (int k = 0; k < terms; k += kLanes) {
      const __m512i row[kDotRows] = {load32(a + k), load32(a + k + at<1>(apart)),
                                     load32(a + k + at<2>(apart)), load32(a + k + at<3>(apart))};
      multiply_column(b + k, apart, row, std::make_integer_sequence<int, Columns>());
    }
  }

  // Adds what each pair comes to, and begins anew.
  HALVES_INLINE void fold(float* to) {
    fold(to, All());
    clear(All());
  }

 private:
  template <int Row>
  HALVES_INLINE static std::ptrdiff_t at(std::ptrdiff_t apart) {
    return Row < Rows ? Row * apart : 0;
  }

  template <int... I>
  HALVES_INLINE void clear(std::integer_sequence<int, I...>) {
    ((sums[I] = _mm512_setzero_si512()), ...);
  }

  template <int... Column>
  HALVES_INLINE void multiply_column(const half* b, std::ptrdiff_t apart,
                                     const __m512i (&row)[kDotRows],
                                     std::integer_sequence<int, Column...>) {
    (multiply_rows<Column>(load32(b + Column * apart), row,
                           std::make_integer_sequence<int, Rows>()),
     ...);
  }

  template <int Column, int... Row>
  HALVES_INLINE void multiply_rows(__m512i column, const __m512i (&row)[kDotRows],
                                   std::integer_sequence<int, Row...>) {
    (multiply_one(sums[Row * Columns + Column], row[Row], column), ...);
  }

  HALVES_INLINE static void multiply_one(__m512i& total, __m512i a, __m512i b) {
    asm("vfmadd231ph %1,%2,%0" : "+v"(total) : "v"(a), "v"(b));
  }

  template <int... I>
  HALVES_INLINE void fold(float* to, std::integer_sequence<int, I...>) {
    ((to[I] += _mm512_reduce_add_ps(
          _mm512_add_ps(widened(_mm512_castsi512_si256(sums[I])),
                        widened(_mm512_extracti64x4_epi64(sums[I], 1))))),
     ...);
  }
};

}  // namespace halves
#endif
