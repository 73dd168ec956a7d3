// Detects and skips loops in which a game only waits.
#pragma once

#include <cstdint>

#include "bus.h"

namespace nes {

class IdleLoop {
 public:
  // Returns the number of cycles to skip: a whole number of iterations that would be identical to
  // the last one. At time `now`, the instruction at `branch` jumps back to `start` and takes
  // `cycles`. Create an IdleLoop for each period between two interrupts, because an interrupt may
  // change what an iteration reads.
  int skip(Bus& bus, std::uint16_t start, std::uint16_t branch, int cycles, int now, int end);

 private:
  std::uint16_t last_branch_ = 0;
  int last_time_ = -1;
};

}  // namespace nes
