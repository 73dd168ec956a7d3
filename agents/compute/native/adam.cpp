// An Adam step and the squared norm of a gradient, for any processor.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "export.h"
#include "thread_pool.h"

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define CLONES
#endif

namespace compute {
namespace {

constexpr int kBlock = 4096;  // squares that are summed in float32

CLONES float block_sum_of_squares(const float* numbers, std::int64_t count) {
  constexpr int kSums = 16;  // independent sums, because additions must not be reordered
  float sums[kSums] = {}, sum = 0;
  std::int64_t n = 0;
  for (; n + kSums <= count; n += kSums)
    for (int i = 0; i < kSums; ++i) sums[i] += numbers[n + i] * numbers[n + i];
  for (; n < count; ++n) sum += numbers[n] * numbers[n];
  for (float partial : sums) sum += partial;
  return sum;
}

struct StepParameters {
  float step_size, beta1, beta2, epsilon, square_correction;
};

CLONES void update(std::int64_t count, float* __restrict weights, const float* __restrict gradient,
                   float* __restrict mean, float* __restrict square,
                   const StepParameters& parameters) {
  const StepParameters p = parameters;
  for (std::int64_t n = 0; n < count; ++n) {
    const float g = gradient[n];
    mean[n] += (g - mean[n]) * (1 - p.beta1);
    square[n] = square[n] * p.beta2 + g * g * (1 - p.beta2);
    weights[n] -= p.step_size * mean[n] / (std::sqrt(square[n]) * p.square_correction + p.epsilon);
  }
}

}  // namespace

// Returns the sum of squares.
EXPORT double sum_of_squares(ThreadPool* pool, std::int64_t count, const float* numbers) {
  double sums[kParts] = {};
  pool->parallel_for(kParts, [&](int part) {
    const Range range(count, part, kParts);
    double sum = 0;
    for (auto n = range.first; n < range.last; n += kBlock)
      sum += block_sum_of_squares(numbers + n, std::min<std::int64_t>(kBlock, range.last - n));
    sums[part] = sum;
  });
  double sum = 0;
  for (double partial : sums) sum += partial;
  return sum;
}

// Updates weights and moments by algorithm 1 of https://arxiv.org/abs/1412.6980. The first `step`
// is 1.
EXPORT void adam_step(ThreadPool* pool, std::int64_t count, float* weights, const float* gradient,
                      float* mean, float* square, double step, double learning_rate, double beta1,
                      double beta2, double epsilon) {
  const StepParameters parameters{
      float(learning_rate / (1 - std::pow(beta1, step))), float(beta1), float(beta2),
      float(epsilon), float(1 / std::sqrt(1 - std::pow(beta2, step)))};
  pool->parallel_for_ranges(count, kMinElements, [&](Range range) {
    const auto n = range.first;
    update(range.size(), weights + n, gradient + n, mean + n, square + n, parameters);
  });
}

}  // namespace compute
