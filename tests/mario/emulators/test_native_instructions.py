# ruff: noqa: E731 - one line per instruction
"""Compares every CPU instruction of the native emulator with a simple model written here.

A ROM contains every opcode once, in random order, each with random registers, flags and operands.
The model and the emulator run it, and must end with the same RAM.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from mario.emulators.native import NativeEmulator, is_built

pytestmark = pytest.mark.skipif(not is_built(), reason="the native emulator is not built")

CARRY, ZERO, MASK, DECIMAL, BREAK, UNUSED, OVERFLOW, NEGATIVE = (1 << bit for bit in range(8))
ORIGIN, DATA, OUT = 0x8000, 0xF000, 0x400

MODES = {
    "izx": 1, "zp": 1, "imm": 1, "abs": 2, "izy": 1, "zpx": 1, "zpy": 1, "aby": 2, "abx": 2,
    "acc": 0, "imp": 0,
}  # fmt: skip
"""Operand size in bytes of each addressing mode."""

Table = dict[int, tuple[str, str]]


def family(bases: str, names: str, modes: str) -> Table:
    """Return opcodes of instructions with the same addressing modes, as offsets from a base."""
    offsets = [mode.split("+") for mode in modes.split()]
    return {
        int(base, 16) + int(offset, 16): (name, mode)
        for base, name in zip(bases.split(), names.split(), strict=True)
        for mode, offset in offsets
    }


def single(opcodes: str) -> Table:
    entries = (entry.split() for entry in opcodes.split(","))
    return {int(code, 16): (name, mode) for code, name, mode in entries}


ALU = "izx+0 zp+4 abs+C izy+10 zpx+14 aby+18 abx+1C"
OPCODES = (
    family("01 21 41 61 81 A1 C1 E1", "ora and eor adc sta lda cmp sbc", ALU)
    | family("09 29 49 69 A9 C9 E9", "ora and eor adc lda cmp sbc", "imm+0")
    | family("06 26 46 66", "asl rol lsr ror", "zp+0 acc+4 abs+8 zpx+10 abx+18")
    | family("C6 E6", "dec inc", "zp+0 abs+8 zpx+10 abx+18")
    | family("03 23 43 63 C3 E3", "slo rla sre rra dcp isc", ALU)
    | single(
        "86 stx zp,8E stx abs,96 stx zpy,84 sty zp,8C sty abs,94 sty zpx,A2 ldx imm,A6 ldx zp,"
        "AE ldx abs,B6 ldx zpy,BE ldx aby,A0 ldy imm,A4 ldy zp,AC ldy abs,B4 ldy zpx,BC ldy abx,"
        "C0 cpy imm,C4 cpy zp,CC cpy abs,E0 cpx imm,E4 cpx zp,EC cpx abs,24 bit zp,2C bit abs,"
        "AA tax imp,A8 tay imp,8A txa imp,98 tya imp,BA tsx imp,E8 inx imp,CA dex imp,C8 iny imp,"
        "88 dey imp,48 pha imp,68 pla imp,08 php imp,28 plp imp,18 clc imp,38 sec imp,58 cli imp,"
        "78 sei imp,B8 clv imp,D8 cld imp,F8 sed imp,EA nop imp"
    )
    | single(
        "1A nop imp,80 nop imm,04 nop zp,14 nop zpx,0C nop abs,1C nop abx,A3 lax izx,A7 lax zp,"
        "AF lax abs,B3 lax izy,B7 lax zpy,BF lax aby,83 sax izx,87 sax zp,8F sax abs,97 sax zpy,"
        "0B anc imm,4B alr imm,6B arr imm,CB axs imm,EB sbc imm"
    )
)
"""Name and addressing mode of each opcode that is not a jump; the last ones are unofficial."""


class Model:
    """A 6502 that follows the manual, one instruction after the other."""

    def __init__(self, program: bytes) -> None:
        self.memory = bytearray(0x8000) + program
        self.a = self.x = self.y = 0
        self.sp, self.flags = 0xFD, UNUSED | DECIMAL | MASK
        self.pc = ORIGIN

    def run(self) -> None:
        """Run until a jump, which is the program's last instruction."""
        while self.memory[self.pc] != 0x4C:
            name, mode = OPCODES[self.memory[self.pc]]
            self.pc += 1
            at = self.address(mode)
            self.pc += MODES[mode]
            getattr(self, f"do_{name}", lambda at: None)(at)

    def word(self, at: int, page: int = 0xFFFF) -> int:
        return self.memory[at] | self.memory[(at + 1) & page] << 8

    def address(self, mode: str) -> int | None:
        at, zero = self.pc, self.memory[self.pc]
        addresses: dict[str, Callable[[], int | None]] = {
            "imm": lambda: at,
            "zp": lambda: zero,
            "zpx": lambda: (zero + self.x) % 256,
            "zpy": lambda: (zero + self.y) % 256,
            "abs": lambda: self.word(at),
            "abx": lambda: (self.word(at) + self.x) % 0x10000,
            "aby": lambda: (self.word(at) + self.y) % 0x10000,
            "izx": lambda: self.word((zero + self.x) % 256, 0xFF),
            "izy": lambda: (self.word(zero, 0xFF) + self.y) % 0x10000,
        }
        address = addresses.get(mode, lambda: None)()
        return address if address is None or address >= 0x2000 else address % 0x800

    def read(self, at: int | None) -> int:
        return self.a if at is None else self.memory[at]

    def write(self, at: int | None, value: int) -> None:
        if at is None:
            self.a = value
        elif at < 0x2000:
            self.memory[at] = value

    def flag(self, flag: int, on: object) -> None:
        self.flags = self.flags | flag if on else self.flags & ~flag

    def zn(self, value: int) -> int:
        self.flag(ZERO, value % 256 == 0)
        self.flag(NEGATIVE, value & 0x80)
        return value % 256

    def add(self, value: int) -> None:
        total = self.a + value + (self.flags & CARRY)
        self.flag(OVERFLOW, (self.a ^ total) & (value ^ total) & 0x80)
        self.flag(CARRY, total > 255)
        self.a = self.zn(total)

    def compare(self, register: int, value: int) -> None:
        self.flag(CARRY, register >= value)
        self.zn(register - value)

    def shift(self, at: int | None, left: bool, rotate: bool) -> int:
        value, carry = self.read(at), bool(rotate and self.flags & CARRY)
        self.flag(CARRY, value & (0x80 if left else 1))
        value = (value << 1 | carry) if left else (value >> 1 | carry << 7)
        self.write(at, self.zn(value))
        return value % 256

    def increment(self, at: int | None, by: int) -> int:
        value = self.zn(self.read(at) + by)
        self.write(at, value)
        return value

    def push(self, value: int) -> None:
        self.memory[0x100 | self.sp] = value
        self.sp = (self.sp - 1) % 256

    def pull(self) -> int:
        self.sp = (self.sp + 1) % 256
        return self.memory[0x100 | self.sp]

    def load(self, **registers: int) -> None:
        for name, value in registers.items():
            setattr(self, name, self.zn(value))

    def do_axs(self, at: int) -> None:
        both = self.a & self.x
        self.compare(both, self.read(at))
        self.x = (both - self.read(at)) % 256

    def do_arr(self, at: int) -> None:
        self.a &= self.read(at)
        self.shift(None, left=False, rotate=True)
        self.flag(CARRY, self.a & 0x40)
        self.flag(OVERFLOW, (self.a >> 6 ^ self.a >> 5) & 1)

    def do_alr(self, at: int) -> None:
        self.a &= self.read(at)
        self.shift(None, left=False, rotate=False)

    def do_anc(self, at: int) -> None:
        self.load(a=self.a & self.read(at))
        self.flag(CARRY, self.a & 0x80)

    def do_bit(self, at: int) -> None:
        value = self.read(at)
        self.flag(ZERO, not self.a & value)
        self.flag(NEGATIVE, value & 0x80)
        self.flag(OVERFLOW, value & 0x40)

    do_ora = lambda self, at: self.load(a=self.a | self.read(at))
    do_and = lambda self, at: self.load(a=self.a & self.read(at))
    do_eor = lambda self, at: self.load(a=self.a ^ self.read(at))
    do_adc = lambda self, at: self.add(self.read(at))
    do_sbc = lambda self, at: self.add(255 - self.read(at))
    do_lda = lambda self, at: self.load(a=self.read(at))
    do_ldx = lambda self, at: self.load(x=self.read(at))
    do_ldy = lambda self, at: self.load(y=self.read(at))
    do_lax = lambda self, at: self.load(a=self.read(at), x=self.read(at))
    do_sta = lambda self, at: self.write(at, self.a)
    do_stx = lambda self, at: self.write(at, self.x)
    do_sty = lambda self, at: self.write(at, self.y)
    do_sax = lambda self, at: self.write(at, self.a & self.x)
    do_cmp = lambda self, at: self.compare(self.a, self.read(at))
    do_cpx = lambda self, at: self.compare(self.x, self.read(at))
    do_cpy = lambda self, at: self.compare(self.y, self.read(at))
    do_asl = lambda self, at: self.shift(at, left=True, rotate=False)
    do_rol = lambda self, at: self.shift(at, left=True, rotate=True)
    do_lsr = lambda self, at: self.shift(at, left=False, rotate=False)
    do_ror = lambda self, at: self.shift(at, left=False, rotate=True)
    do_inc = lambda self, at: self.increment(at, 1)
    do_dec = lambda self, at: self.increment(at, -1)
    do_slo = lambda self, at: self.load(a=self.a | self.do_asl(at))
    do_rla = lambda self, at: self.load(a=self.a & self.do_rol(at))
    do_sre = lambda self, at: self.load(a=self.a ^ self.do_lsr(at))
    do_rra = lambda self, at: self.add(self.do_ror(at))
    do_isc = lambda self, at: self.add(255 - self.do_inc(at))
    do_tax = lambda self, at: self.load(x=self.a)
    do_tay = lambda self, at: self.load(y=self.a)
    do_txa = lambda self, at: self.load(a=self.x)
    do_tya = lambda self, at: self.load(a=self.y)
    do_tsx = lambda self, at: self.load(x=self.sp)
    do_inx = lambda self, at: self.load(x=self.x + 1)
    do_dex = lambda self, at: self.load(x=self.x - 1)
    do_iny = lambda self, at: self.load(y=self.y + 1)
    do_dey = lambda self, at: self.load(y=self.y - 1)
    do_pha = lambda self, at: self.push(self.a)
    do_pla = lambda self, at: self.load(a=self.pull())
    do_php = lambda self, at: self.push(self.flags | BREAK | UNUSED)
    do_clc = lambda self, at: self.flag(CARRY, False)
    do_sec = lambda self, at: self.flag(CARRY, True)
    do_cli = lambda self, at: self.flag(MASK, False)
    do_sei = lambda self, at: self.flag(MASK, True)
    do_clv = lambda self, at: self.flag(OVERFLOW, False)
    do_cld = lambda self, at: self.flag(DECIMAL, False)
    do_sed = lambda self, at: self.flag(DECIMAL, True)

    def do_plp(self, at: int) -> None:
        self.flags = self.pull() & ~BREAK | UNUSED

    def do_dcp(self, at: int) -> None:
        # Compares with the decremented value even if the address is not writable.
        self.compare(self.a, self.do_dec(at))


def instruction(rng: random.Random, code: int) -> bytes:
    """Return an instruction whose operand is in RAM or in the program's data, never I/O."""
    mode = OPCODES[code][1]
    if MODES[mode] == 2:
        at = rng.choice([rng.randrange(0x300), DATA + rng.randrange(0x300)])
        return bytes([code, at & 255, at >> 8])
    return bytes([code, *rng.choices(range(256), k=MODES[mode])])


def case(rng: random.Random, code: int, out: int) -> bytes:
    """Return code that sets registers and flags, runs an instruction and stores the results."""
    flags, *registers = rng.choices(range(256), k=4)
    body = bytes([0xA9, flags & ~MASK | MASK, 0x48])
    for load, value in zip((0xA9, 0xA2, 0xA0), registers, strict=True):
        body += bytes([load, value])
    body += b"\x28" + instruction(rng, code) + b"\x08"
    for store in (0x8D, 0x8E, 0x8C):
        body += bytes([store, out & 255, out >> 8])
        out += 1
    return body + bytes([0x68, 0x8D, out & 255, out >> 8])


def cartridge(seed: int) -> bytes:
    """Return a program of every opcode once, in random order, that ends in an endless loop."""
    rng = random.Random(seed)
    codes = [code for code in OPCODES if OPCODES[code][1] not in ("izx", "izy")]
    program = bytearray(b"\x58\x78")
    # Any two bytes of the zero page are a pointer into RAM or data, until one is changed.
    for at in range(256):
        program += bytes([0xA9, rng.choice([0x02, DATA >> 8]), 0x85, at])
    indirect = [code for code in OPCODES if OPCODES[code][1] in ("izx", "izy")]
    rng.shuffle(codes)
    for number, code in enumerate(indirect + codes):
        program += case(rng, code, OUT + 4 * number)
    end = ORIGIN + len(program)
    program += bytes([0x4C, end & 255, end >> 8])
    data = bytes(rng.choices(range(256), k=0x0FFA)) + bytes([0, 0, 0, 0x80, 0, 0])
    return bytes(program).ljust(DATA - ORIGIN, b"\0") + data


@pytest.mark.parametrize("seed", range(20))
def test_every_instruction_equals_the_model(tmp_path: Path, seed: int) -> None:
    program = cartridge(seed)
    path = tmp_path / "instructions.nes"
    path.write_bytes(b"NES\x1a" + bytes([2, 1]).ljust(12, b"\0") + program + bytes(0x2000))
    model, console = Model(program), NativeEmulator(path)
    model.run()
    for _ in range(4):
        console.advance(0)
    assert bytes(console.ram) == model.memory[:0x800]
    console.close()
