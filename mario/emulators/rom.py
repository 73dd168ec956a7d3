"""Reads what the header of an NES ROM file says, and refuses one that cannot be played."""

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
        prg_banks: banks of program, 16 kB each.
        chr_banks: banks of pictures, 8 kB each; 0 for a cartridge that draws its own.
        mapper: number of the cartridge's circuit.
        trainer: whether 512 bytes for a copying device come first.
        pal: whether it is made for European consoles, which draw 50 frames a second.
    """

    prg_banks: int
    chr_banks: int
    mapper: int
    trainer: bool
    pal: bool

    @property
    def file_bytes(self) -> int:
        """The least size in bytes of a file with this header."""
        return HEADER_BYTES + self.prg_banks * PRG_BANK_BYTES + self.chr_banks * CHR_BANK_BYTES


def read_header(data: bytes) -> RomHeader:
    """Read an iNES header.

    Args:
        data: a ROM file, or at least its first 16 bytes.

    Raises:
        ValueError: the header is not one, or is cut off.

    >>> read_header(b"NES" + bytes([0x1A, 2, 1, 0x41]) + bytes(9)).mapper
    4
    """
    if data[: len(MAGIC)] != MAGIC:
        raise ValueError("is not an iNES ROM file")
    if len(data) < HEADER_BYTES:
        raise ValueError("is cut off within its header")
    # Old tools signed their work in the last bytes, the high half of the mapper's number included.
    signed = any(data[12:HEADER_BYTES])
    return RomHeader(
        prg_banks=data[4],
        chr_banks=data[5],
        mapper=data[6] >> 4 | (0 if signed else data[7] & 0xF0),
        trainer=bool(data[6] & 0x04),
        pal=bool(data[9] & 0x01),
    )


def check_rom(path: Path, plays_mapper: Callable[[int], bool]) -> RomHeader:
    """Refuse a ROM file that the emulator cannot play, before it fails without a word.

    Args:
        path: the file.
        plays_mapper: whether the emulator knows a cartridge's circuit.

    Returns:
        The file's header.

    Raises:
        UsageError: the file is missing, damaged, or needs what the emulator has not.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"ROM {path} cannot be read: {error.strerror}") from None
    try:
        header = read_header(data)
    except ValueError as error:
        raise UsageError(f"ROM {path} {error}; give another file") from None
    fault = _fault(header, len(data), plays_mapper)
    if fault:
        raise UsageError(f"ROM {path} {fault}; give another file")
    return header


def _fault(header: RomHeader, size: int, plays_mapper: Callable[[int], bool]) -> str:
    """What is wrong with a ROM file of this header and size, empty for nothing."""
    if header.prg_banks == 0:
        return "holds no program"
    if header.trainer:
        return "has a trainer, which the emulator does not know"
    if header.pal:
        return "is for PAL consoles, and the emulator is an NTSC one"
    if not plays_mapper(header.mapper):
        return f"needs mapper {header.mapper}, which the emulator does not know"
    if size < header.file_bytes:
        return f"is cut off: {size:,} bytes of {header.file_bytes:,}"
    return ""
