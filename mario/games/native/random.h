// Random numbers that are the same on every machine.
#pragma once

#include <cstdint>

namespace nes {

// The finalizer of SplitMix64 (Steele et al., 2014): maps each number to one that looks random.
inline std::uint64_t mix(std::uint64_t value) {
  value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9U;
  value = (value ^ value >> 27) * 0x94D049BB133111EBU;
  return value ^ value >> 31;
}

// The SplitMix64 generator.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() { return mix(state_ += kIncrement); }

  // Returns a number in 0 to count - 1. The bias is below count / 2^32.
  std::uint32_t below(std::uint32_t count) {
    return static_cast<std::uint32_t>((next() >> 32) * count >> 32);
  }

  static constexpr std::uint64_t kIncrement = 0x9E3779B97F4A7C15U;

 private:
  std::uint64_t state_;
};

}  // namespace nes
