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

void to_gray(const Grays& grays, const std::uint8_t* screen, int count, std::uint8_t* gray) {
  for (int i = 0; i < count; ++i) gray[i] = grays[screen[i] & 63];
}

#ifdef NES_HAS_AVX2
// Looks up 32 pixels at a time, ten times as fast; a register holds a quarter of the table.
__attribute__((target("avx2"))) void to_gray_avx2(const Grays& grays, const std::uint8_t* screen,
                                                  int count, std::uint8_t* gray) {
  __m256i quarters[4];
  for (int i = 0; i < 4; ++i) {
    const auto* quarter = reinterpret_cast<const __m128i*>(grays.data() + 16 * i);
    quarters[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128(quarter));
  }
  for (int i = 0; i < count; i += 32) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(screen + i));
    const __m256i bit4 = _mm256_slli_epi16(x, 3);  // a blend asks for the highest bit of a byte
    const __m256i bit5 = _mm256_slli_epi16(x, 2);
    const __m256i low = _mm256_blendv_epi8(_mm256_shuffle_epi8(quarters[0], x),
                                           _mm256_shuffle_epi8(quarters[1], x), bit4);
    const __m256i high = _mm256_blendv_epi8(_mm256_shuffle_epi8(quarters[2], x),
                                            _mm256_shuffle_epi8(quarters[3], x), bit4);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(gray + i), _mm256_blendv_epi8(low, high, bit5));
  }
}
#endif

// `count`: of pixels, whole rows.
void look_up(const Grays& grays, const std::uint8_t* screen, int count, std::uint8_t* gray) {
#ifdef NES_HAS_AVX2
  static const bool has_avx2 = __builtin_cpu_supports("avx2");
  if (has_avx2) return to_gray_avx2(grays, screen, count, gray);
#endif
  to_gray(grays, screen, count, gray);
}

// Known to the compiler, the number of taps makes it twice as fast; 0 if it is not.
template <int kTaps>
void sum_taps(const std::vector<int>& firsts, const std::uint16_t* shares, int taps,
              const std::uint16_t* pixels, int* sums) {
  const int count = kTaps ? kTaps : taps;
  for (const int first : firsts) {
    int sum = 0;
    for (int k = 0; k < count; ++k) sum += pixels[first + k] * *shares++;
    *sums++ = sum;
  }
}

int checked(int size, int crop) {
  if (crop < 0) throw std::invalid_argument("crop must be at least 0");
  const int most = kHeight - crop;
  if (size >= 1 && size <= most) return size;
  throw std::invalid_argument("size must be in 1 to " + std::to_string(most) + ", got " +
                              std::to_string(size));
}

}  // namespace

Preprocess::Shares::Shares(int from, int to) {
  const int common = std::gcd(from, to);
  const int source = to / common;  // the length of a pixel
  whole = from / common;           // and of one that it goes into
  taps = (whole + 2 * source - 2) / source;
  values.resize(to * taps);
  for (int i = 0; i < to; ++i) {
    const int begin = i * whole, end = begin + whole;
    firsts.push_back(std::min(begin / source, from - taps));
    for (int k = 0; k < taps; ++k) {
      const int pixel = (firsts[i] + k) * source;
      values[i * taps + k] = std::max(0, std::min(end, pixel + source) - std::max(begin, pixel));
    }
  }
}

Preprocess::Preprocess(int size, int crop, const Grays& grays)
    : size_(checked(size, crop)),
      crop_(crop),
      rows_(kHeight - crop, size),
      columns_(kWidth, size),
      grays_(grays) {}

void Preprocess::operator()(const std::uint8_t* screen, std::uint8_t* picture) const {
  std::uint8_t gray[kWidth * kHeight];
  look_up(grays_, screen + crop_ * kWidth, (kHeight - crop_) * kWidth, gray);
  for (int row = 0; row < size_; ++row) {
    std::uint16_t sums[kWidth] = {};
    sum_rows(gray, row, sums);
    sum_columns(sums, picture + row * size_);
  }
}

void Preprocess::sum_rows(const std::uint8_t* gray, int row, std::uint16_t* sums) const {
  for (int k = 0; k < rows_.taps; ++k) {
    const std::uint16_t share = rows_.values[row * rows_.taps + k];
    const std::uint8_t* line = gray + (rows_.firsts[row] + k) * kWidth;
    if (share == 0) continue;
    for (int x = 0; x < kWidth; ++x) sums[x] += share * line[x];
  }
}

void Preprocess::sum_columns(const std::uint16_t* sums, std::uint8_t* picture) const {
  int totals[kHeight];
  const auto sum = columns_.taps == 4 ? sum_taps<4> : sum_taps<0>;
  sum(columns_.firsts, columns_.values.data(), columns_.taps, sums, totals);
  const float scale = 1.0f / static_cast<float>(rows_.whole * columns_.whole);
  for (int i = 0; i < size_; ++i) picture[i] = static_cast<int>(totals[i] * scale + 0.5f);
}

}  // namespace nes
