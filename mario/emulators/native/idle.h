// Loops in which a game does nothing but wait.
#pragma once

#include <cstdint>

#include "bus.h"

namespace nes {

// How many cycles of a loop can be left out because each round would be like the one just gone:
// a whole number of rounds. `start` is where the loop begins, `branch` the address of the branch
// that has just gone back there, taking `branch_cycles`; the next round begins at `now`.
int idle_cycles(Bus& bus, std::uint16_t start, std::uint16_t branch, int branch_cycles, int now,
                int end);

}  // namespace nes
