// Loops in which a game does nothing but wait.
#pragma once

#include <cstdint>

#include "bus.h"

namespace nes {

class Idler {
 public:
  // How many cycles of a loop can be left out because each round would be like the one just gone:
  // a whole number of rounds. `branch` is the address of a branch at time `now` that goes back to
  // `start`, taking `cycles`. An interrupt may have changed what the round saw, so there has to be
  // an Idler for each stretch between two of them.
  int skip(Bus& bus, std::uint16_t start, std::uint16_t branch, int cycles, int now, int end);

 private:
  std::uint16_t branch_ = 0;  // the last one seen, and when
  int when_ = -1;
};

}  // namespace nes
