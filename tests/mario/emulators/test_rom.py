"""Reading and checking the header of a ROM file."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mario.emulators import make_emulator
from mario.emulators.native import MAPPERS, NativeEmulator
from mario.emulators.rom import RomHeader, check_rom, find_problem, read_header
from mario.errors import UsageError
from mario.games.roms import mario_rom


def rom(prg: int = 2, chr_: int = 1, flags: tuple[int, ...] = (0,), size: int | None = None):
    header = b"NES\x1a" + bytes([prg, chr_, *flags]).ljust(12, b"\0")
    return (header + bytes(prg * 16384 + chr_ * 8192))[:size]


def nes20(**changes: int) -> bytes:
    """Return a ROM with an NES 2.0 header, where for example ``b9=1`` changes byte 9."""
    header = bytearray(rom(flags=(0, 0x08))[:16])
    for name, value in changes.items():
        header[int(name[1:])] = value
    return bytes(header) + bytes(2 * 16384 + 8192)


def check(tmp_path: Path, data: bytes) -> RomHeader:
    path = tmp_path / "game.nes"
    path.write_bytes(data)
    return check_rom(path, {0, 1}.__contains__)


def test_the_rom_of_super_mario_bros_is_accepted() -> None:
    assert check_rom(mario_rom(), {0}.__contains__) == RomHeader(32_768, 8_192, mapper=0)


@given(st.integers(0, 255))
def test_the_mapper_number_is_stored_in_two_nibbles(mapper: int) -> None:
    assert read_header(rom(flags=((mapper & 15) << 4, mapper & 0xF0))).mapper == mapper


def test_a_signature_of_old_tools_does_not_change_the_mapper_number() -> None:
    signed = rom()[:7] + b"DiskDude!"
    assert read_header(signed) == read_header(rom()), "its byte 9 does not mean PAL"


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
        (rom(flags=(0, 1)), "is for Vs. System consoles"),
        (rom(flags=(0, 2)), "is for PlayChoice-10 consoles"),
        (nes20(), ""),
        (nes20(b6=0x20, b7=0x48), "needs mapper 66, which"),
        (nes20(b8=0x01), "needs mapper 256, which"),
        (nes20(b12=1), "is for PAL consoles"),
        (nes20(b12=2), ""),
        (nes20(b12=3), "is for Dendy consoles"),
        (nes20(b7=0x09), "is for Vs. System consoles"),
        (nes20(b9=0x01), "is cut off: 40,976 bytes of 4,235,280"),
        (nes20(b4=0x38, b9=0x0F), ""),
        (nes20(b4=0x20, b9=0x0F), "has a size that is no multiple of a bank"),
        (nes20(b10=0x08), "has more RAM than the 8192 bytes"),
        (nes20(b11=0x07), ""),
    ],
)
def test_an_unplayable_file_is_refused_with_the_reason(
    tmp_path: Path, data: bytes, problem: str
) -> None:
    if not problem:
        check(tmp_path, data)
        return
    with pytest.raises(UsageError, match=rf"ROM .*game\.nes {problem}.*; give another file"):
        check(tmp_path, data)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ROM .*none\.nes cannot be read: No such file"):
        check_rom(tmp_path / "none.nes", {0}.__contains__)


def native_problem(tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return why the compiled reader refuses a file, or ``""``."""
    path = tmp_path / "game.nes"
    path.write_bytes(data)
    monkeypatch.setattr("mario.emulators.native.check_rom", lambda *_: None)
    try:
        NativeEmulator(path).close()
    except UsageError as error:
        return str(error).removeprefix(f"ROM {path} ").removesuffix("; give another file")
    return ""


def python_problem(data: bytes) -> str:
    """Return why the reader in Python refuses a file, or ``""``."""
    try:
        return find_problem(read_header(data), len(data), MAPPERS.__contains__)
    except ValueError as error:
        return str(error)


def without_sizes(problem: str) -> str:
    return "is cut off" if problem.startswith("is cut off:") else problem


def test_both_readers_agree_on_a_fuzzed_corpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(7)
    outcomes = Counter()
    for _ in range(3_000):
        header = bytearray(rom(prg=rng.choice((1, 2)), flags=(0, rng.choice((0, 0, 8))))[:16])
        for position in rng.sample(range(16), rng.choice((0, 1, 1, 2, 4))):
            header[position] = rng.choice((rng.randrange(256), rng.randrange(16)))
        data = bytes(header) + bytes(rng.choice((0, 16384, 24576, 40960)))
        data = data[: rng.choice((len(data), len(data), len(data), 12))]
        expected = python_problem(data)
        outcomes[without_sizes(expected)] += 1
        assert without_sizes(native_problem(tmp_path, data, monkeypatch)) == without_sizes(expected)
    assert len(outcomes) >= 12
    assert outcomes[""] > 100


def test_the_path_of_a_rom_may_be_text() -> None:
    make_emulator(str(mario_rom())).close()
