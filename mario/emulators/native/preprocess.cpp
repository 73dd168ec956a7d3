#include "preprocess.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define NES_HAS_AVX2
#endif

namespace nes {
namespace {

void to_gray(const GrayPalette& palette, const std::uint8_t* screen, int count,
             std::uint8_t* gray) {
  for (int i = 0; i < count; ++i) gray[i] = palette[screen[i] & 63];
}

#ifdef NES_HAS_AVX2
// Looks up 32 pixels at a time, ten times as fast. A register holds a quarter of the palette.
__attribute__((target("avx2"))) void to_gray_avx2(const GrayPalette& palette,
                                                  const std::uint8_t* screen, int count,
                                                  std::uint8_t* gray) {
  __m256i quarters[4];
  for (int i = 0; i < 4; ++i) {
    const auto* quarter = reinterpret_cast<const __m128i*>(palette.data() + 16 * i);
    quarters[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128(quarter));
  }
  for (int i = 0; i < count; i += 32) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(screen + i));
    const __m256i bit4 = _mm256_slli_epi16(x, 3);  // blendv tests the highest bit of a byte
    const __m256i bit5 = _mm256_slli_epi16(x, 2);
    const __m256i low = _mm256_blendv_epi8(_mm256_shuffle_epi8(quarters[0], x),
                                           _mm256_shuffle_epi8(quarters[1], x), bit4);
    const __m256i high = _mm256_blendv_epi8(_mm256_shuffle_epi8(quarters[2], x),
                                            _mm256_shuffle_epi8(quarters[3], x), bit4);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(gray + i), _mm256_blendv_epi8(low, high, bit5));
  }
}
#endif

// Converts `count` pixels, a multiple of the screen width.
void convert_to_gray(const GrayPalette& palette, const std::uint8_t* screen, int count,
                     std::uint8_t* gray) {
#ifdef NES_HAS_AVX2
  static const bool has_avx2 = __builtin_cpu_supports("avx2");
  if (has_avx2) return to_gray_avx2(palette, screen, count, gray);
#endif
  to_gray(palette, screen, count, gray);
}

// A compile-time number of taps makes this twice as fast; 0 means that it is a runtime value.
template <int kTaps>
void sum_taps(const std::vector<int>& first_pixels, const std::uint16_t* weights, int taps,
              const std::uint16_t* pixels, int* sums) {
  const int count = kTaps ? kTaps : taps;
  for (const int first : first_pixels) {
    int sum = 0;
    for (int k = 0; k < count; ++k) sum += pixels[first + k] * *weights++;
    *sums++ = sum;
  }
}

int check_size(int size, int crop) {
  if (crop < 0) throw std::invalid_argument("crop must be at least 0");
  const int max_size = kHeight - crop;
  if (size >= 1 && size <= max_size) return size;
  throw std::invalid_argument("size must be in 1 to " + std::to_string(max_size) + ", got " +
                              std::to_string(size));
}

}  // namespace

Preprocess::Weights::Weights(int from, int to) {
  const int common = std::gcd(from, to);
  const int source = to / common;  // length of a source pixel
  total = from / common;           // length of a target pixel
  taps = (total + 2 * source - 2) / source;
  values.resize(to * taps);
  for (int i = 0; i < to; ++i) {
    const int begin = i * total, end = begin + total;
    first_pixels.push_back(std::min(begin / source, from - taps));
    for (int k = 0; k < taps; ++k) {
      const int pixel = (first_pixels[i] + k) * source;
      values[i * taps + k] = std::max(0, std::min(end, pixel + source) - std::max(begin, pixel));
    }
  }
}

Preprocess::Preprocess(int size, int crop, const GrayPalette& gray_palette)
    : size_(check_size(size, crop)),
      crop_(crop),
      row_weights_(kHeight - crop, size),
      column_weights_(kWidth, size),
      gray_palette_(gray_palette) {}

void Preprocess::operator()(const std::uint8_t* screen, std::uint8_t* image) const {
  std::uint8_t gray[kWidth * kHeight];
  convert_to_gray(gray_palette_, screen + crop_ * kWidth, (kHeight - crop_) * kWidth, gray);
  for (int row = 0; row < size_; ++row) {
    std::uint16_t sums[kWidth] = {};
    sum_rows(gray, row, sums);
    sum_columns(sums, image + row * size_);
  }
}

void Preprocess::sum_rows(const std::uint8_t* gray, int row, std::uint16_t* sums) const {
  for (int k = 0; k < row_weights_.taps; ++k) {
    const std::uint16_t weight = row_weights_.values[row * row_weights_.taps + k];
    const std::uint8_t* line = gray + (row_weights_.first_pixels[row] + k) * kWidth;
    if (weight == 0) continue;
    for (int x = 0; x < kWidth; ++x) sums[x] += weight * line[x];
  }
}

void Preprocess::sum_columns(const std::uint16_t* sums, std::uint8_t* image_row) const {
  int totals[kHeight];
  const Weights& weights = column_weights_;
  const auto sum = weights.taps == 4 ? sum_taps<4> : sum_taps<0>;
  sum(weights.first_pixels, weights.values.data(), weights.taps, sums, totals);
  const float scale = 1.0f / static_cast<float>(row_weights_.total * weights.total);
  for (int i = 0; i < size_; ++i) image_row[i] = static_cast<int>(totals[i] * scale + 0.5f);
}

}  // namespace nes
