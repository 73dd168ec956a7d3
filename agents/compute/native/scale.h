// What layers share beside their products: buffers, and scales that keep gradients within range.
#pragma once
#include <cmath>
#include <vector>

#include "float16.h"
#ifdef HALVES
namespace halves {

// The first `size` of a thread's buffer, which keeps its memory from call to call.
template <typename T>
T* scratch(std::vector<T>& buffer, std::size_t size) {
  constexpr std::size_t kLine = 64;
  if (buffer.size() < size + kLine / sizeof(T)) buffer.resize(size + kLine / sizeof(T));
  const auto address = reinterpret_cast<std::uintptr_t>(buffer.data());
  return reinterpret_cast<T*>((address + kLine - 1) / kLine * kLine);
}

// A power of two that brings the largest of some numbers to between 4 and 8.
//
// Gradients are small and the smallest normal half is 2^-14; sums of thousands still stay below the
// largest, 65504.
inline float power_of_two_for(const float* numbers, std::size_t count) {
  std::size_t n = 0;
  __m512 most = _mm512_setzero_ps();
  for (; n + 16 <= count; n += 16)
    most = _mm512_max_ps(most, _mm512_abs_ps(_mm512_loadu_ps(numbers + n)));
  float largest = _mm512_reduce_max_ps(most);
  for (; n < count; ++n) largest = std::fmax(largest, std::fabs(numbers[n]));
  return largest > 0 && std::isfinite(largest) ? std::exp2(3 - std::ceil(std::log2(largest))) : 1;
}

// Floats as halves, times a scale.
inline void narrow(const float* from, std::int64_t count, float scale, half* to) {
  const __m512 factor = _mm512_set1_ps(scale);
  std::int64_t n = 0;
  for (; n + 16 <= count; n += 16)
    store16(to + n, narrowed(_mm512_mul_ps(_mm512_loadu_ps(from + n), factor)));
  for (; n < count; ++n) to[n] = _cvtss_sh(from[n] * scale, _MM_FROUND_TO_NEAREST_INT);
}

}  // namespace halves
#endif
