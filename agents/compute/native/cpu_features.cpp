// Tests for the instructions that float16.h needs. This file is compiled for every processor.
#include "export.h"

// Whether the float16 functions are compiled and this processor can run them.
EXPORT int float16_supported() {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
  return __builtin_cpu_supports("avx512fp16") && __builtin_cpu_supports("avx512bw");
#else
  return 0;
#endif
}
