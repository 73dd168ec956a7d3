"""Reading and checking the header of a ROM file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mario.emulators.rom import RomHeader, check_rom, read_header
from mario.errors import UsageError
from mario.games.roms import mario_rom


def rom(prg: int = 2, chr_: int = 1, flags: tuple[int, ...] = (0,), size: int | None = None):
    header = b"NES\x1a" + bytes([prg, chr_, *flags]).ljust(12, b"\0")
    return (header + bytes(prg * 16384 + chr_ * 8192))[:size]


def check(tmp_path: Path, data: bytes) -> RomHeader:
    path = tmp_path / "game.nes"
    path.write_bytes(data)
    return check_rom(path, {0, 1}.__contains__)


def test_the_rom_of_super_mario_bros_is_accepted() -> None:
    assert check_rom(mario_rom(), {0}.__contains__) == RomHeader(2, 1, 0, trainer=False, pal=False)


@given(st.integers(0, 255))
def test_the_mapper_number_is_stored_in_two_nibbles(mapper: int) -> None:
    assert read_header(rom(flags=((mapper & 15) << 4, mapper & 0xF0))).mapper == mapper


def test_a_signature_of_old_tools_does_not_change_the_mapper_number() -> None:
    signed = rom()[:7] + b"DiskDude!"
    assert read_header(signed).mapper == 0


def test_character_ram_takes_no_bytes_in_the_file(tmp_path: Path) -> None:
    assert check(tmp_path, rom(chr_=0)).file_bytes == 16 + 2 * 16384


@given(st.binary(max_size=40))
def test_data_that_is_not_a_rom_raises_a_value_error(data: bytes) -> None:
    if not data.startswith(b"NES\x1a"):
        with pytest.raises(ValueError, match="is not an iNES ROM file"):
            read_header(data)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"PK\x03\x04 a zip", "is not an iNES ROM file"),
        (b"", "is not an iNES ROM file"),
        (rom(size=9), "is cut off within its header"),
        (rom(size=5000), "is cut off: 5,000 bytes of 40,976"),
        (rom(prg=0), "has no program"),
        (rom(flags=(0x04,)), "has a trainer"),
        (rom(flags=(0x40,)), "needs mapper 4"),
        (rom(flags=(0, 0, 0, 1)), "is for PAL consoles"),
    ],
)
def test_an_unplayable_file_is_refused_with_the_reason(
    tmp_path: Path, data: bytes, problem: str
) -> None:
    with pytest.raises(UsageError, match=rf"ROM .*game\.nes {problem}.*; give another file"):
        check(tmp_path, data)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ROM .*none\.nes cannot be read: No such file"):
        check_rom(tmp_path / "none.nes", {0}.__contains__)
