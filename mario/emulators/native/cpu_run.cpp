// The CPU's main loop: one case per opcode.
#include "cpu_core.h"

namespace nes {
namespace {

// https://www.nesdev.org/6502_cpu.txt, without the cost of crossing a page. BRK takes 14 cycles as
// in nes-py, twice as long as on hardware.
constexpr std::uint8_t kCycles[0x100] = {
    14, 6, 2, 8, 3, 3, 5, 5, 3, 2, 2, 2, 4, 4, 6, 6, 2, 5, 2, 8, 4, 4, 6, 6, 2, 4, 2, 7, 4, 4, 7, 7,
    6,  6, 2, 8, 3, 3, 5, 5, 4, 2, 2, 2, 4, 4, 6, 6, 2, 5, 2, 8, 4, 4, 6, 6, 2, 4, 2, 7, 4, 4, 7, 7,
    6,  6, 2, 8, 3, 3, 5, 5, 3, 2, 2, 2, 3, 4, 6, 6, 2, 5, 2, 8, 4, 4, 6, 6, 2, 4, 2, 7, 4, 4, 7, 7,
    6,  6, 2, 8, 3, 3, 5, 5, 4, 2, 2, 2, 5, 4, 6, 6, 2, 5, 2, 8, 4, 4, 6, 6, 2, 4, 2, 7, 4, 4, 7, 7,
    2,  6, 2, 6, 3, 3, 3, 3, 2, 2, 2, 2, 4, 4, 4, 4, 2, 6, 2, 6, 4, 4, 4, 4, 2, 5, 2, 5, 5, 5, 5, 5,
    2,  6, 2, 6, 3, 3, 3, 3, 2, 2, 2, 2, 4, 4, 4, 4, 2, 5, 2, 5, 4, 4, 4, 4, 2, 4, 2, 4, 4, 4, 4, 4,
    2,  6, 2, 8, 3, 3, 5, 5, 2, 2, 2, 2, 4, 4, 6, 6, 2, 5, 2, 8, 4, 4, 6, 6, 2, 4, 2, 7, 4, 4, 7, 7,
    2,  6, 2, 8, 3, 3, 5, 5, 2, 2, 2, 2, 4, 4, 6, 6, 2, 5, 2, 8, 4, 4, 6, 6, 2, 4, 2, 7, 4, 4, 7, 7,
};

}  // namespace

// All addressing modes of an instruction that only reads; `code` is its lowest opcode.
#define ALL_READS(code, op)                                  \
  case (code) + 0x00: op(read(izx())); break;                \
  case (code) + 0x04: op(read(zp())); break;                 \
  case (code) + 0x08: op(read(imm())); break;                \
  case (code) + 0x0C: op(read(abs())); break;                \
  case (code) + 0x10: op(read(izy_page_cross())); break;            \
  case (code) + 0x14: op(read(zpx())); break;                \
  case (code) + 0x18: op(read(aby_page_cross())); break;            \
  case (code) + 0x1C: op(read(abx_page_cross())); break;

// An instruction that reads a value and writes the result back.
#define READ_MODIFY_WRITE(mode, op)      \
  {                           \
    const Word at = mode();   \
    write(at, op(read(at)));  \
    break;                    \
  }
// As in nes-py, crossing a page costs one more cycle. On hardware it does not.
#define ALL_SHIFTS(code, op)                  \
  case (code) + 0x00: READ_MODIFY_WRITE(zp, op)           \
  case (code) + 0x04: a_ = op(a_); break;      \
  case (code) + 0x08: READ_MODIFY_WRITE(abs, op)          \
  case (code) + 0x10: READ_MODIFY_WRITE(zpx, op)          \
  case (code) + 0x18: READ_MODIFY_WRITE(abx_page_cross, op)

#define ALL_UNOFFICIAL(code, op)                 \
  case (code) + 0x00: READ_MODIFY_WRITE(izx, op)          \
  case (code) + 0x04: READ_MODIFY_WRITE(zp, op)           \
  case (code) + 0x0C: READ_MODIFY_WRITE(abs, op)          \
  case (code) + 0x10: READ_MODIFY_WRITE(izy, op)          \
  case (code) + 0x14: READ_MODIFY_WRITE(zpx, op)          \
  case (code) + 0x18: READ_MODIFY_WRITE(aby, op)          \
  case (code) + 0x1C: READ_MODIFY_WRITE(abx, op)

void Cpu::Core::run() {
  while (now_ < end_) {
    const Byte opcode = fetch();
    cost_ = kCycles[opcode];
    switch (opcode) {
      ALL_READS(0x01, ora)
      ALL_READS(0x21, and_)
      ALL_READS(0x41, eor)
      ALL_READS(0x61, adc)
      ALL_READS(0xA1, lda)
      ALL_READS(0xC1, cmp)
      ALL_READS(0xE1, sbc)
      ALL_SHIFTS(0x06, asl)
      ALL_SHIFTS(0x26, rol)
      ALL_SHIFTS(0x46, lsr)
      ALL_SHIFTS(0x66, ror)
      case 0xC6: READ_MODIFY_WRITE(zp, dec)
      case 0xCE: READ_MODIFY_WRITE(abs, dec)
      case 0xD6: READ_MODIFY_WRITE(zpx, dec)
      case 0xDE: READ_MODIFY_WRITE(abx_page_cross, dec)
      case 0xE6: READ_MODIFY_WRITE(zp, inc)
      case 0xEE: READ_MODIFY_WRITE(abs, inc)
      case 0xF6: READ_MODIFY_WRITE(zpx, inc)
      case 0xFE: READ_MODIFY_WRITE(abx_page_cross, inc)

      case 0x81: write(izx(), a_); break;
      case 0x85: write(zp(), a_); break;
      case 0x8D: write(abs(), a_); break;
      case 0x91: write(izy(), a_); break;
      case 0x95: write(zpx(), a_); break;
      case 0x99: write(aby(), a_); break;
      case 0x9D: write(abx(), a_); break;
      case 0x86: write(zp(), x_); break;
      case 0x8E: write(abs(), x_); break;
      case 0x96: write(zpy(), x_); break;
      case 0x84: write(zp(), y_); break;
      case 0x8C: write(abs(), y_); break;
      case 0x94: write(zpx(), y_); break;
      case 0xA2: ldx(read(imm())); break;
      case 0xA6: ldx(read(zp())); break;
      case 0xAE: ldx(read(abs())); break;
      case 0xB6: ldx(read(zpy())); break;
      case 0xBE: ldx(read(aby_page_cross())); break;
      case 0xA0: ldy(read(imm())); break;
      case 0xA4: ldy(read(zp())); break;
      case 0xAC: ldy(read(abs())); break;
      case 0xB4: ldy(read(zpx())); break;
      case 0xBC: ldy(read(abx_page_cross())); break;
      case 0xC0: cpy(read(imm())); break;
      case 0xC4: cpy(read(zp())); break;
      case 0xCC: cpy(read(abs())); break;
      case 0xE0: cpx(read(imm())); break;
      case 0xE4: cpx(read(zp())); break;
      case 0xEC: cpx(read(abs())); break;
      case 0x24: bit(read(zp())); break;
      case 0x2C: bit(read(abs())); break;

      case 0xAA: ldx(a_); break;
      case 0xA8: ldy(a_); break;
      case 0x8A: lda(x_); break;
      case 0x98: lda(y_); break;
      case 0xBA: ldx(sp_); break;
      case 0x9A: sp_ = x_; break;
      case 0xE8: x_ = inc(x_); break;
      case 0xCA: x_ = dec(x_); break;
      case 0xC8: y_ = inc(y_); break;
      case 0x88: y_ = dec(y_); break;
      case 0x48: push(a_); break;
      case 0x68: lda(pull()); break;
      case 0x08: push(flags() | kUnused | kBreak); break;
      case 0x28: set_flags(pull()); poll_irq(); break;

      case 0x18: carry_ = false; break;
      case 0x38: carry_ = true; break;
      case 0x58: other_flags_ &= low(~kInterruptDisable); poll_irq(); break;
      case 0x78: other_flags_ |= kInterruptDisable; break;
      case 0xB8: overflow_ = false; break;
      case 0xD8: other_flags_ &= low(~kDecimal); break;
      case 0xF8: other_flags_ |= kDecimal; break;

      case 0x10: branch(!(negative_ & 0x80)); break;
      case 0x30: branch(negative_ & 0x80); break;
      case 0x50: branch(!overflow_); break;
      case 0x70: branch(overflow_); break;
      case 0x90: branch(!carry_); break;
      case 0xB0: branch(carry_); break;
      case 0xD0: branch(zero_); break;
      case 0xF0: branch(!zero_); break;
      case 0x4C: jump(); break;
      case 0x6C: jump_indirect(); break;
      case 0x20: call(); break;
      case 0x60: pull_pc(); ++pc_; break;
      case 0x40: set_flags(pull()); pull_pc(); poll_irq(); break;
      case 0x00: break_(); break;

      // Unofficial opcodes, https://www.nesdev.org/wiki/CPU_unofficial_opcodes
      ALL_UNOFFICIAL(0x03, slo)
      ALL_UNOFFICIAL(0x23, rla)
      ALL_UNOFFICIAL(0x43, sre)
      ALL_UNOFFICIAL(0x63, rra)
      ALL_UNOFFICIAL(0xC3, dcp)
      ALL_UNOFFICIAL(0xE3, isc)
      case 0xA3: lax(read(izx())); break;
      case 0xA7: lax(read(zp())); break;
      case 0xAB: lax(read(imm())); break;
      case 0xAF: lax(read(abs())); break;
      case 0xB3: lax(read(izy_page_cross())); break;
      case 0xB7: lax(read(zpy())); break;
      case 0xBF: lax(read(aby_page_cross())); break;
      case 0x83: write(izx(), a_ & x_); break;
      case 0x87: write(zp(), a_ & x_); break;
      case 0x8F: write(abs(), a_ & x_); break;
      case 0x97: write(zpy(), a_ & x_); break;
      case 0x0B: case 0x2B: anc(read(imm())); break;
      case 0x4B: alr(read(imm())); break;
      case 0x6B: arr(read(imm())); break;
      case 0xCB: axs(read(imm())); break;
      case 0xEB: sbc(read(imm())); break;

      case 0x1A: case 0x3A: case 0x5A: case 0x7A: case 0xDA: case 0xEA: case 0xFA: break;
      case 0x80: case 0x82: case 0x89: case 0xC2: case 0xE2: ++pc_; break;
      case 0x04: case 0x44: case 0x64: ignore(read(zp())); break;
      case 0x14: case 0x34: case 0x54: case 0x74: case 0xD4: case 0xF4: ignore(read(zpx())); break;
      case 0x0C: ignore(read(abs())); break;
      case 0x1C: case 0x3C: case 0x5C: case 0x7C: case 0xDC: case 0xFC:
        ignore(read(abx_page_cross()));
        break;
      // These are unstable: they differ between consoles, so games do not use them. Ignored.
      case 0x8B: ++pc_; break;
      case 0x93: ++pc_; break;
      case 0x9B: case 0x9C: case 0x9E: case 0x9F: case 0xBB: pc_ += 2; break;
      default: halt();
    }
    now_ += cost_;
  }
}

void Cpu::run(Bus& bus, int end) {
  if (now_ >= end) return;
  IdleLoop idle_loop;
  Core core(*this, bus, idle_loop, end);
  core.run();
  core.store(*this);
}

}  // namespace nes
