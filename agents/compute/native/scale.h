// Scratch buffers, and the scaling that keeps gradients within the range of float16.
#pragma once
#include <cmath>
#include <vector>

#include "float16.h"
#ifdef HAS_FLOAT16
namespace compute {

// Returns `size` elements of a thread's buffer, aligned to a cache line. The buffer keeps its
// memory between calls.
template <typename T>
T* scratch(std::vector<T>& buffer, std::size_t size) {
  constexpr std::size_t kCacheLine = 64;
  if (buffer.size() < size + kCacheLine / sizeof(T)) buffer.resize(size + kCacheLine / sizeof(T));
  const auto address = reinterpret_cast<std::uintptr_t>(buffer.data());
  return reinterpret_cast<T*>((address + kCacheLine - 1) / kCacheLine * kCacheLine);
}

// Returns the power of two that scales the largest absolute value to between 4 and 8.
//
// Gradients are small, and the smallest normal float16 number is 2^-14. With this scale, sums of
// thousands of gradients stay below the largest float16 number, 65504.
inline float gradient_scale(const float* gradients, std::size_t count) {
  std::size_t n = 0;
  __m512 maxima = _mm512_setzero_ps();
  for (; n + 16 <= count; n += 16)
    maxima = _mm512_max_ps(maxima, _mm512_abs_ps(_mm512_loadu_ps(gradients + n)));
  float largest = _mm512_reduce_max_ps(maxima);
  for (; n < count; ++n) largest = std::fmax(largest, std::fabs(gradients[n]));
  return largest > 0 && std::isfinite(largest) ? std::exp2(3 - std::ceil(std::log2(largest))) : 1;
}

// Converts floats times a scale to float16.
inline void convert(const float* in, std::int64_t count, float scale, float16_t* out) {
  const __m512 factor = _mm512_set1_ps(scale);
  std::int64_t n = 0;
  for (; n + 16 <= count; n += 16)
    store16(out + n, to_float16(_mm512_mul_ps(_mm512_loadu_ps(in + n), factor)));
  for (; n < count; ++n) out[n] = _cvtss_sh(in[n] * scale, _MM_FROUND_TO_NEAREST_INT);
}

}  // namespace compute
#endif
