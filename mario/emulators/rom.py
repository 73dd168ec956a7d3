"""Reads and checks the iNES header of a ROM file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mario.errors import UsageError

MAGIC = b"NES\x1a"
HEADER_BYTES = 16
PRG_BANK_BYTES = 16 * 1024
CHR_BANK_BYTES = 8 * 1024


@dataclass(frozen=True)
class RomHeader:
    """The iNES header of a ROM file, see https://www.nesdev.org/wiki/INES.

    Attributes:
        prg_banks: number of program ROM banks of 16 kB.
        chr_banks: number of character ROM banks of 8 kB; 0 if the cartridge has character RAM.
        mapper: number of the cartridge's mapper.
        trainer: whether a 512-byte trainer precedes the program.
        pal: whether the ROM is for PAL consoles, which run at 50 frames per second.
    """

    prg_banks: int
    chr_banks: int
    mapper: int
    trainer: bool
    pal: bool

    @property
    def file_bytes(self) -> int:
        """Smallest valid size in bytes of a file with this header."""
        return HEADER_BYTES + self.prg_banks * PRG_BANK_BYTES + self.chr_banks * CHR_BANK_BYTES


def read_header(data: bytes) -> RomHeader:
    """Parse an iNES header.

    Args:
        data: a ROM file, or at least its first 16 bytes.

    Raises:
        ValueError: the data does not start with an iNES header, or ends within it.

    >>> read_header(b"NES" + bytes([0x1A, 2, 1, 0x41]) + bytes(9)).mapper
    4
    """
    if data[: len(MAGIC)] != MAGIC:
        raise ValueError("is not an iNES ROM file")
    if len(data) < HEADER_BYTES:
        raise ValueError("is cut off within its header")
    # Some old tools wrote a signature into bytes 7 to 15. Byte 7 should contain the upper four bits
    # of the mapper.
    signed = any(data[12:HEADER_BYTES])
    return RomHeader(
        prg_banks=data[4],
        chr_banks=data[5],
        mapper=data[6] >> 4 | (0 if signed else data[7] & 0xF0),
        trainer=bool(data[6] & 0x04),
        pal=bool(data[9] & 0x01),
    )


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
    problem = _find_problem(header, len(data), supports_mapper)
    if problem:
        raise UsageError(f"ROM {path} {problem}; give another file")
    return header


def _find_problem(header: RomHeader, size: int, supports_mapper: Callable[[int], bool]) -> str:
    """Return why a ROM with this header and file size cannot be played, or ``""`` if it can."""
    if header.prg_banks == 0:
        return "has no program"
    if header.trainer:
        return "has a trainer, which the emulator does not support"
    if header.pal:
        return "is for PAL consoles, and the emulator is an NTSC console"
    if not supports_mapper(header.mapper):
        return f"needs mapper {header.mapper}, which the emulator does not support"
    if size < header.file_bytes:
        return f"is cut off: {size:,} bytes of {header.file_bytes:,}"
    return ""
