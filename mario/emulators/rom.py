"""Reads and checks the iNES or NES 2.0 header of a ROM file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mario.errors import UsageError

MAGIC = b"NES\x1a"
HEADER_BYTES = 16
PRG_BANK_BYTES = 16 * 1024
CHR_BANK_BYTES = 8 * 1024
RAM_BYTES = 8 * 1024
"""Work RAM and character RAM of a cartridge that the emulators have, at most."""

TIMINGS = ("NTSC", "PAL", "multiple", "Dendy")
CONSOLES = ("NES", "Vs. System", "PlayChoice-10", "extended")
PLAYABLE_TIMINGS = ("NTSC", "multiple")


@dataclass(frozen=True)
class RomHeader:
    """The header of a ROM file.

    See https://www.nesdev.org/wiki/INES and https://www.nesdev.org/wiki/NES_2.0.

    Attributes:
        prg_bytes: size of the program ROM.
        chr_bytes: size of the character ROM; 0 if the cartridge has character RAM.
        mapper: number of the cartridge's mapper.
        submapper: variant of the mapper, 0 if it is not specified.
        trainer: whether a 512-byte trainer precedes the program.
        timing: one of `TIMINGS`.
        console: one of `CONSOLES`.
        work_ram_bytes: size of the work RAM, with and without a battery; None if it is unknown.
        chr_ram_bytes: size of the character RAM; None if it is unknown.
        is_nes20: whether the header is a NES 2.0 header.
        has_exponents: whether a size is given as an exponent, which old emulators misread.
    """

    prg_bytes: int
    chr_bytes: int
    mapper: int
    submapper: int = 0
    trainer: bool = False
    timing: str = "NTSC"
    console: str = "NES"
    work_ram_bytes: int | None = None
    chr_ram_bytes: int | None = None
    is_nes20: bool = False
    has_exponents: bool = False

    @property
    def file_bytes(self) -> int:
        """Smallest valid size in bytes of a file with this header."""
        return HEADER_BYTES + self.prg_bytes + self.chr_bytes


def read_header(data: bytes) -> RomHeader:
    """Parse an iNES or NES 2.0 header.

    Args:
        data: a ROM file, or at least its first 16 bytes.

    Raises:
        ValueError: the data does not start with such a header, or ends within it.

    >>> read_header(b"NES" + bytes([0x1A, 2, 1, 0x41]) + bytes(9)).mapper
    4
    """
    if data[: len(MAGIC)] != MAGIC:
        raise ValueError("is not an iNES ROM file")
    if len(data) < HEADER_BYTES:
        raise ValueError("is cut off within its header")
    return _read_nes20(data) if data[7] & 0x0C == 0x08 else _read_ines(data)


def _read_ines(data: bytes) -> RomHeader:
    # Some old tools wrote a signature into bytes 7 to 15, which then mean nothing. Byte 7 should
    # contain the upper four bits of the mapper and the console, byte 9 the timing.
    signed = any(data[12:HEADER_BYTES])
    return RomHeader(
        prg_bytes=data[4] * PRG_BANK_BYTES,
        chr_bytes=data[5] * CHR_BANK_BYTES,
        mapper=data[6] >> 4 | (0 if signed else data[7] & 0xF0),
        trainer=bool(data[6] & 0x04),
        timing=TIMINGS[0 if signed else data[9] & 0x01],
        console=CONSOLES[0 if signed else data[7] & 0x03],
    )


def _read_nes20(data: bytes) -> RomHeader:
    prg_high, chr_high = data[9] & 0x0F, data[9] >> 4
    return RomHeader(
        prg_bytes=_rom_bytes(data[4], prg_high, PRG_BANK_BYTES),
        chr_bytes=_rom_bytes(data[5], chr_high, CHR_BANK_BYTES),
        mapper=data[6] >> 4 | data[7] & 0xF0 | (data[8] & 0x0F) << 8,
        submapper=data[8] >> 4,
        trainer=bool(data[6] & 0x04),
        timing=TIMINGS[data[12] & 0x03],
        console=CONSOLES[data[7] & 0x03],
        work_ram_bytes=_ram_bytes(data[10]),
        chr_ram_bytes=_ram_bytes(data[11]),
        is_nes20=True,
        has_exponents=0x0F in (prg_high, chr_high),
    )


def _rom_bytes(low: int, high: int, bank_bytes: int) -> int:
    """Return a size: a number of banks, or an exponent and a multiplier."""
    if high < 0x0F:
        return (high << 8 | low) * bank_bytes
    return (1 << (low >> 2)) * ((low & 3) * 2 + 1)


def _ram_bytes(shifts: int) -> int:
    """Return the size of volatile and battery-backed RAM, each 64 shifted by a nibble."""
    return sum(64 << shift for shift in (shifts & 0x0F, shifts >> 4) if shift)


def check_rom(path: Path, supports_mapper: Callable[[int], bool]) -> RomHeader:
    """Check that an emulator can play a ROM file.

    Some emulators crash if they load a file that they do not support.

    Args:
        path: the ROM file.
        supports_mapper: returns whether the emulator supports a mapper number.

    Returns:
        The file's header.

    Raises:
        UsageError: the file is missing, damaged, or not supported by the emulator.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"ROM {path} cannot be read: {error.strerror}") from None
    try:
        header = read_header(data)
    except ValueError as error:
        raise UsageError(f"ROM {path} {error}; give another file") from None
    problem = find_problem(header, len(data), supports_mapper)
    if problem:
        raise UsageError(f"ROM {path} {problem}; give another file")
    return header


def find_problem(header: RomHeader, size: int, supports_mapper: Callable[[int], bool]) -> str:
    """Return why a ROM with this header and file size cannot be played, or ``""`` if it can.

    ``rom.cpp`` of the native emulator makes the same checks in the same order.
    """
    refused = (
        (header.prg_bytes == 0, "has no program"),
        (header.trainer, "has a trainer, which the emulator does not support"),
        (header.console != "NES", f"is for {header.console} consoles, not for the NES"),
        (
            header.timing not in PLAYABLE_TIMINGS,
            f"is for {header.timing} consoles, and the emulator is an NTSC console",
        ),
        (
            not supports_mapper(header.mapper),
            f"needs mapper {header.mapper}, which the emulator does not support",
        ),
        (
            header.mapper == 4 and header.submapper == 1,
            "needs mapper 4 in its variant 1 (MMC6), which the emulator does not support",
        ),
        (
            bool(header.prg_bytes % PRG_BANK_BYTES or header.chr_bytes % CHR_BANK_BYTES),
            "has a size that is no multiple of a bank",
        ),
        (
            max(header.work_ram_bytes or 0, header.chr_ram_bytes or 0) > RAM_BYTES,
            f"has more RAM than the {RAM_BYTES} bytes that the emulator supports",
        ),
        (size < header.file_bytes, f"is cut off: {size:,} bytes of {header.file_bytes:,}"),
    )
    return next((problem for is_refused, problem in refused if is_refused), "")
