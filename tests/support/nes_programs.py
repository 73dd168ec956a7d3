"""ROMs with short programs of the NES, made by tests."""

from __future__ import annotations

PRG_BANK, CHR_BANK = 0x2000, 0x400
LAST_8K = 0xE000


def lda(value: int) -> bytes:
    """Load a number into the accumulator."""
    return bytes([0xA9, value])


def sta(at: int) -> bytes:
    """Store the accumulator."""
    return bytes([0x8D, at & 255, at >> 8])


def poke(at: int, value: int) -> bytes:
    """Write a number to an address."""
    return lda(value) + sta(at)


def copy(at: int, to: int) -> bytes:
    """Copy a byte from one address to another."""
    return bytes([0xAD, at & 255, at >> 8]) + sta(to)


def set_vram_address(address: int) -> bytes:
    """Select the byte of video memory that is read and written next."""
    return poke(0x2006, address >> 8) + poke(0x2006, address & 255)


def make_rom(
    code: bytes,
    mapper: int = 0,
    prg: int = 8,
    chr_: int = 4,
    flags: int = 0,
    patterns: bytes | None = None,
) -> bytes:
    """Return a ROM whose last bank holds a program that ends in an endless loop.

    Interrupts are counted at address $40, and that of MMC3 is acknowledged.

    Args:
        code: the program.
        mapper: number of the mapper.
        prg: banks of 16 kB of program memory. The first byte of every 8 kB is its number.
        chr_: banks of 8 kB of pattern memory.
        flags: lower bits of byte 6 of the header.
        patterns: content of the pattern memory; None to begin every kB with its number, twice.
    """
    program = bytearray(prg * 0x4000)
    for start in range(0, len(program), PRG_BANK):
        program[start] = start // PRG_BANK
    marked = bytearray(chr_ * 0x2000)
    for start in range(0, len(marked), CHR_BANK):
        marked[start : start + 2] = bytes([start // CHR_BANK]) * 2
    end = LAST_8K + 0x10 + len(code)
    code += bytes([0x4C, end & 255, end >> 8])
    program[-0x2000 + 0x10 : -0x2000 + 0x10 + len(code)] = code
    handler = bytes([0xE6, 0x40, 0x8D, 0x00, 0xE0, 0x40])  # INC $40; STA $E000; RTI
    program[-0x100 : -0x100 + len(handler)] = handler
    program[-6:] = bytes([0x00, 0xFF, 0x10, 0xE0, 0x00, 0xFF])
    header = b"NES\x1a" + bytes([prg, chr_, mapper << 4 | flags]).ljust(12, b"\0")
    return header + program + (marked if patterns is None else patterns)
