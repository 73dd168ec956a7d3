// The CPU's operations. Everything is inlined into one loop, and the address of a Core never
// escapes, so that the compiler keeps its members in machine registers.
#pragma once

#include <cstdint>

#include "bus.h"
#include "cpu.h"
#include "idle_loop.h"

#if defined(__GNUC__)
#define NES_INLINE inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define NES_INLINE __forceinline
#else
#define NES_INLINE inline
#endif

namespace nes {

class Cpu::Core {
 public:
  Core(const Cpu& cpu, Bus& bus, IdleLoop& idle_loop, int end)
      : bus_(bus), idle_loop_(idle_loop), ram_(bus.ram()), now_(cpu.now_), end_(end),
        pc_(cpu.pc_), a_(cpu.a_), x_(cpu.x_), y_(cpu.y_), sp_(cpu.sp_) {
    set_flags(cpu.flags_);
  }

  NES_INLINE void run();

  void store(Cpu& cpu) const {
    cpu.now_ = now_, cpu.pc_ = pc_, cpu.a_ = a_, cpu.x_ = x_, cpu.y_ = y_, cpu.sp_ = sp_;
    cpu.flags_ = flags();
  }

 private:
  using Byte = std::uint8_t;
  using Word = std::uint16_t;

  static constexpr Byte low(int value) { return static_cast<Byte>(value); }
  static constexpr Word word(int value) { return static_cast<Word>(value); }

  // Memory.
  NES_INLINE Byte read(Word at) { return bus_.read(at, now_); }
  NES_INLINE void write(Word at, Byte value) { cost_ += bus_.write(at, value, now_); }
  NES_INLINE Byte fetch() { return read(pc_++); }
  NES_INLINE Word fetch_word() {
    const Byte first = fetch();
    return word(first | fetch() << 8);
  }
  NES_INLINE void push(int value) { ram_[0x100 | sp_--] = low(value); }
  NES_INLINE Byte pull() { return ram_[0x100 | ++sp_]; }
  NES_INLINE Word zero_page_word(Byte at) { return word(ram_[at] | ram_[low(at + 1)] << 8); }

  // Addressing modes. Those named `page_cross` cost one more cycle if indexing crosses a page.
  NES_INLINE Word imm() { return pc_++; }
  NES_INLINE Word zp() { return fetch(); }
  NES_INLINE Word zpx() { return low(fetch() + x_); }
  NES_INLINE Word zpy() { return low(fetch() + y_); }
  NES_INLINE Word abs() { return fetch_word(); }
  NES_INLINE Word abx() { return word(fetch_word() + x_); }
  NES_INLINE Word aby() { return word(fetch_word() + y_); }
  NES_INLINE Word izx() { return zero_page_word(low(fetch() + x_)); }
  NES_INLINE Word izy() { return word(zero_page_word(fetch()) + y_); }
  NES_INLINE Word indexed(Word base, Byte index) {
    cost_ += (base & 0xFF) + index > 0xFF;
    return word(base + index);
  }
  NES_INLINE Word abx_page_cross() { return indexed(fetch_word(), x_); }
  NES_INLINE Word aby_page_cross() { return indexed(fetch_word(), y_); }
  NES_INLINE Word izy_page_cross() { return indexed(zero_page_word(fetch()), y_); }

  // Flags.
  NES_INLINE Byte set_zn(int value) { return zero_ = negative_ = low(value); }
  Byte flags() const {
    return low((carry_ ? kCarry : 0) | (zero_ ? 0 : kZero) | (overflow_ ? kOverflow : 0) |
               (negative_ & kNegative) | other_flags_);
  }
  NES_INLINE void set_flags(Byte flags) {
    carry_ = flags & kCarry;
    zero_ = ~flags & kZero;
    overflow_ = flags & kOverflow;
    negative_ = flags;
    other_flags_ = flags & (kInterruptDisable | kDecimal);
  }

  // Operations.
  NES_INLINE void lda(Byte value) { a_ = set_zn(value); }
  NES_INLINE void ldx(Byte value) { x_ = set_zn(value); }
  NES_INLINE void ldy(Byte value) { y_ = set_zn(value); }
  NES_INLINE void lax(Byte value) { a_ = x_ = set_zn(value); }
  NES_INLINE void ora(Byte value) { lda(a_ | value); }
  NES_INLINE void and_(Byte value) { lda(a_ & value); }
  NES_INLINE void eor(Byte value) { lda(a_ ^ value); }
  NES_INLINE void adc(Byte value) {
    const int sum = a_ + value + carry_;
    overflow_ = (a_ ^ sum) & (value ^ sum) & 0x80;
    carry_ = sum > 0xFF;
    lda(low(sum));
  }
  NES_INLINE void sbc(Byte value) { adc(low(~value)); }
  NES_INLINE void compare(Byte with, Byte value) {
    carry_ = with >= value;
    set_zn(with - value);
  }
  NES_INLINE void cmp(Byte value) { compare(a_, value); }
  NES_INLINE void cpx(Byte value) { compare(x_, value); }
  NES_INLINE void cpy(Byte value) { compare(y_, value); }
  NES_INLINE void bit(Byte value) {
    zero_ = a_ & value;
    negative_ = value;
    overflow_ = value & 0x40;
  }
  NES_INLINE void ignore(Byte) {}
  NES_INLINE Byte asl(Byte value) {
    carry_ = value >> 7;
    return set_zn(value << 1);
  }
  NES_INLINE Byte rol(Byte value) {
    const bool before = carry_;
    carry_ = value >> 7;
    return set_zn(value << 1 | before);
  }
  NES_INLINE Byte lsr(Byte value) {
    carry_ = value & 1;
    return set_zn(value >> 1);
  }
  NES_INLINE Byte ror(Byte value) {
    const bool before = carry_;
    carry_ = value & 1;
    return set_zn(value >> 1 | before << 7);
  }
  NES_INLINE Byte inc(Byte value) { return set_zn(value + 1); }
  NES_INLINE Byte dec(Byte value) { return set_zn(value - 1); }
  // Unofficial operations, which combine two of the above.
  NES_INLINE Byte slo(Byte value) { return value = asl(value), ora(value), value; }
  NES_INLINE Byte rla(Byte value) { return value = rol(value), and_(value), value; }
  NES_INLINE Byte sre(Byte value) { return value = lsr(value), eor(value), value; }
  NES_INLINE Byte rra(Byte value) { return value = ror(value), adc(value), value; }
  NES_INLINE Byte dcp(Byte value) { return value = dec(value), cmp(value), value; }
  NES_INLINE Byte isc(Byte value) { return value = inc(value), sbc(value), value; }
  NES_INLINE void anc(Byte value) { and_(value), carry_ = a_ >> 7; }
  NES_INLINE void alr(Byte value) { a_ = lsr(a_ & value); }
  NES_INLINE void arr(Byte value) {
    a_ = ror(a_ & value);
    carry_ = a_ >> 6 & 1;
    overflow_ = (a_ >> 6 ^ a_ >> 5) & 1;
  }
  NES_INLINE void axs(Byte value) {
    const Byte both = a_ & x_;
    compare(both, value);
    x_ = low(both - value);
  }

  // Jumps.
  NES_INLINE void branch(bool taken) {
    const auto offset = static_cast<std::int8_t>(fetch());
    if (!taken) return;
    const Word target = word(pc_ + offset);
    // As in nes-py, a branch to another page costs two more cycles. On hardware it costs one.
    cost_ += (target ^ pc_) & 0xFF00 ? 3 : 1;
    if (offset >= -7 && offset <= -4) {
      cost_ += idle_loop_.skip(bus_, target, word(pc_ - 2), cost_, now_, end_);
    }
    pc_ = target;
  }
  NES_INLINE void jump() {
    const Word target = fetch_word();
    if (target == word(pc_ - 3) && now_ < end_) cost_ += (end_ - 1 - now_) / 3 * 3;
    pc_ = target;
  }
  NES_INLINE void jump_indirect() {
    const Word at = fetch_word();
    const Byte first = read(at);
    // A hardware bug: the second byte is read from the same page as the first.
    pc_ = word(first | read(word((at & 0xFF00) | low(at + 1))) << 8);
  }
  NES_INLINE void call() {
    push((pc_ + 1) >> 8);
    push(pc_ + 1);
    pc_ = fetch_word();
  }
  NES_INLINE void pull_pc() {
    const Byte first = pull();
    pc_ = word(first | pull() << 8);
  }
  NES_INLINE void break_() {
    ++pc_;
    push(pc_ >> 8), push(pc_);
    push(flags() | kUnused | kBreak);
    other_flags_ |= kInterruptDisable;
    const Byte first = read(kIrq);
    pc_ = word(first | read(kIrq + 1) << 8);
  }
  // Ends the run if interrupts are enabled, so that a pending one is handled.
  NES_INLINE void poll_irq() {
    if (!(other_flags_ & kInterruptDisable)) end_ = now_;
  }
  NES_INLINE void halt() {
    --pc_;
    cost_ = end_ - now_;
  }

  Bus& bus_;
  IdleLoop& idle_loop_;
  Byte* ram_;
  int now_, end_, cost_ = 0;
  Word pc_;
  Byte a_, x_, y_, sp_;
  Byte zero_ = 0, negative_ = 0, other_flags_ = 0;
  bool carry_ = false, overflow_ = false;
};

}  // namespace nes
