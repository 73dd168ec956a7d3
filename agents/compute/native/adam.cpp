// A step of Adam, and the length of a gradient, for any processor.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "thread_pool.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

namespace halves {
namespace {

constexpr int kBlock = 4096;  // squares that are added up in 32 bits

CLONES float sum_of_squares(const float* numbers, std::int64_t count) {
  constexpr int kSums = 16;  // side by side, as additions must not change their order
  float sums[kSums] = {}, sum = 0;
  std::int64_t n = 0;
  for (; n + kSums <= count; n += kSums)
    for (int i = 0; i < kSums; ++i) sums[i] += numbers[n + i] * numbers[n + i];
  for (; n < count; ++n) sum += numbers[n] * numbers[n];
  for (float each : sums) sum += each;
  return sum;
}

struct Rates {
  float step, beta1, beta2, epsilon, unbias;
};

CLONES void adam_step(std::int64_t count, float* __restrict weights,
                      const float* __restrict gradient, float* __restrict mean,
                      float* __restrict square, const Rates& given) {
  const Rates by = given;
  for (std::int64_t n = 0; n < count; ++n) {
    const float g = gradient[n];
    mean[n] += (g - mean[n]) * (1 - by.beta1);
    square[n] = square[n] * by.beta2 + g * g * (1 - by.beta2);
    weights[n] -= by.step * mean[n] / (std::sqrt(square[n]) * by.unbias + by.epsilon);
  }
}

}  // namespace

// The sum of squares.
EXPORT double squares(ThreadPool* pool, std::int64_t count, const float* numbers) {
  double sums[kParts] = {};
  pool->share(kParts, [&](int part) {
    const Stripe some(count, part, kParts);
    double sum = 0;
    for (auto n = some.first; n < some.last; n += kBlock)
      sum += sum_of_squares(numbers + n, std::min<std::int64_t>(kBlock, some.last - n));
    sums[part] = sum;
  });
  double sum = 0;
  for (double each : sums) sum += each;
  return sum;
}

// The `step`-th step, from 1, of algorithm 1 of https://arxiv.org/abs/1412.6980.
EXPORT void adam(ThreadPool* pool, std::int64_t count, float* weights, const float* gradient,
                 float* mean, float* square, double step, double rate, double beta1, double beta2,
                 double epsilon) {
  const Rates by{float(rate / (1 - std::pow(beta1, step))), float(beta1), float(beta2),
                 float(epsilon), float(1 / std::sqrt(1 - std::pow(beta2, step)))};
  pool->share_rows(count, kSome, [&](Stripe some) {
    const auto at = some.first;
    adam_step(some.size(), weights + at, gradient + at, mean + at, square + at, by);
  });
}

}  // namespace halves
