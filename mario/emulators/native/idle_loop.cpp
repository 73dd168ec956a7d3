#include "idle_loop.h"

#include <algorithm>

namespace nes {
namespace {

constexpr int kDotsPerCycle = 3;

// Returns the size of an instruction that only reads memory, or 0 for any other.
int read_size(std::uint8_t opcode) {
  switch (opcode) {
    case 0xA5: case 0xA6: case 0xA4: case 0x24: case 0xC5: case 0xE4: case 0xC4:
      return 2;  // LDA, LDX, LDY, BIT, CMP, CPX, CPY with zero page addressing
    case 0xAD: case 0xAE: case 0xAC: case 0x2C: case 0xCD: case 0xEC: case 0xCC:
      return 3;  // the same with absolute addressing
    default:
      return 0;
  }
}

// Whether an instruction combines the accumulator with a constant.
bool tests_constant(std::uint8_t opcode) {
  return opcode == 0x29 || opcode == 0xC9 || opcode == 0x49;  // AND, CMP, EOR
}

// Returns the time until which reads of an address give the same value, if nothing is written.
int unchanged_until(Bus& bus, std::uint16_t address, int end) {
  if (bus.page(address)) return end;
  const bool is_status = address < 0x4000 && (address & 7) == 2;
  if (!is_status || !bus.ppu().status_unchanged()) return 0;
  return std::min(end, bus.ppu().status_unchanged_until() / kDotsPerCycle);
}

// Returns the cycles of an iteration, without its branch, of a loop that only reads one address,
// and sets `address`. Returns 0 if the loop does anything else.
int iteration_cycles(const std::uint8_t* code, int body, std::uint16_t& address) {
  const int size = read_size(code[0]);
  if (size == 0 || body < size) return 0;
  const bool is_tested = body == size + 2 && (code[0] & 0xE7) == 0xA5 && tests_constant(code[size]);
  if (body != size && !is_tested) return 0;
  address = static_cast<std::uint16_t>(size == 2 ? code[1] : code[1] | code[2] << 8);
  return size + 1 + (is_tested ? 2 : 0);
}

}  // namespace

int IdleLoop::skip(Bus& bus, std::uint16_t start, std::uint16_t branch, int cycles, int now,
                   int end) {
  const std::uint8_t* page = bus.page(start);
  // Loops that span two pages are rare and are not detected.
  if (!page || branch / Bus::kPage != start / Bus::kPage) return 0;
  std::uint16_t address = 0;
  const int body = iteration_cycles(page + start % Bus::kPage, branch - start, address);
  if (body == 0) return 0;
  const bool is_repeated = branch == last_branch_ && now - last_time_ == body + cycles;
  last_branch_ = branch;
  last_time_ = now;
  if (!is_repeated) return 0;
  const int remaining = unchanged_until(bus, address, end) - (now + cycles);
  return std::max(0, remaining) / (body + cycles) * (body + cycles);
}

}  // namespace nes
