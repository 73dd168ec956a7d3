#include "idle.h"

#include <algorithm>

namespace nes {
namespace {

constexpr int kDotsPerCycle = 3;

// The size of an instruction that only looks at memory, 0 for any other.
int look_size(std::uint8_t opcode) {
  switch (opcode) {
    case 0xA5: case 0xA6: case 0xA4: case 0x24: case 0xC5: case 0xE4: case 0xC4:
      return 2;  // LDA, LDX, LDY, BIT, CMP, CPX, CPY of page zero
    case 0xAD: case 0xAE: case 0xAC: case 0x2C: case 0xCD: case 0xEC: case 0xCC:
      return 3;  // the same of any address
    default:
      return 0;
  }
}

// Whether an instruction after LDA works on what that loaded and on a constant.
bool tests_constant(std::uint8_t opcode) {
  return opcode == 0x29 || opcode == 0xC9 || opcode == 0x49;  // AND, CMP, EOR
}

// Until when what is read from an address stays as it is, if the processor writes nothing.
int steady_until(Bus& bus, std::uint16_t address, int end) {
  if (bus.page(address)) return end;
  const bool is_status = address < 0x4000 && (address & 7) == 2;
  if (!is_status || !bus.ppu().status_is_steady()) return 0;
  return std::min(end, bus.ppu().steady_until() / kDotsPerCycle);
}

// How long a round of a loop takes that only looks at `address`, 0 if it does anything else.
int round_cycles(const std::uint8_t* code, int body, std::uint16_t& address) {
  const int size = look_size(code[0]);
  if (size == 0 || body < size) return 0;
  const bool is_tested = body == size + 2 && (code[0] & 0xE7) == 0xA5 && tests_constant(code[size]);
  if (body != size && !is_tested) return 0;
  address = static_cast<std::uint16_t>(size == 2 ? code[1] : code[1] | code[2] << 8);
  return size + 1 + (is_tested ? 2 : 0);
}

}  // namespace

int Idler::skip(Bus& bus, std::uint16_t start, std::uint16_t branch, int cycles, int now, int end) {
  const std::uint8_t* page = bus.page(start);
  // A loop lies on one page but for few, which are not worth the trouble.
  if (!page || branch / Bus::kPage != start / Bus::kPage) return 0;
  std::uint16_t address = 0;
  const int body = round_cycles(page + start % Bus::kPage, branch - start, address);
  if (body == 0) return 0;
  const bool is_round = branch == branch_ && now - when_ == body + cycles;
  branch_ = branch;
  when_ = now;
  if (!is_round) return 0;
  const int left = steady_until(bus, address, end) - (now + cycles);
  return std::max(0, left) / (body + cycles) * (body + cycles);
}

}  // namespace nes
