"""Bank switching of the native emulator's mappers, tested by programs that read marked banks."""

from __future__ import annotations

from pathlib import Path

import pytest
from nes_programs import copy, make_rom, poke, set_vram_address

from mario.emulators.native import NativeEmulator, is_built

pytestmark = pytest.mark.skipif(not is_built(), reason="the native emulator is not built")


def mmc1(register: int, value: int) -> bytes:
    """Write five bits, one per write."""
    return b"".join(poke(register, value >> bit & 1) for bit in range(5))


def read_chr(address: int, to: int) -> bytes:
    """Read a byte of the pattern tables; the PPU returns it one read late."""
    return set_vram_address(address) + copy(0x2007, to) + copy(0x2007, to)


@pytest.fixture
def run(tmp_path: Path):
    """Return a function that runs a program from the last bank of a ROM and returns the RAM."""

    def run(mapper: int, code: bytes, prg: int = 8, chr_: int = 4, flags: int = 0) -> memoryview:
        path = tmp_path / "banks.nes"
        path.write_bytes(make_rom(poke(0x2001, 0) + code, mapper, prg, chr_, flags))
        console = NativeEmulator(path)
        for _ in range(4):
            console.advance(0)
        return console.ram

    return run


def test_nrom_mirrors_a_single_bank(run) -> None:
    ram = run(0, copy(0x8000, 0x10) + copy(0xC000, 0x11) + copy(0xA000, 0x12), prg=1)
    assert list(ram[0x10:0x13]) == [0, 0, 1]


def test_mmc1_switches_16k_prg_and_4k_chr_banks(run) -> None:
    code = mmc1(0x8000, 0x1F) + mmc1(0xA000, 3) + mmc1(0xC000, 5) + mmc1(0xE000, 6)
    code += copy(0x8000, 0x10) + copy(0xA000, 0x11) + copy(0xC000, 0x12)
    code += read_chr(0x0000, 0x13) + read_chr(0x1000, 0x14)
    assert list(run(1, code)[0x10:0x15]) == [12, 13, 14, 12, 20]


def test_mmc1_switches_chr_in_8k_banks_by_default(run) -> None:
    code = mmc1(0x8000, 0x0F) + mmc1(0xA000, 3)
    code += read_chr(0x0000, 0x10) + read_chr(0x1000, 0x11)
    assert list(run(1, code)[0x10:0x12]) == [8, 12]


def test_an_mmc1_reset_discards_a_partial_write(run) -> None:
    code = poke(0xE000, 1) + poke(0xE000, 0x80) + mmc1(0xE000, 2) + copy(0x8000, 0x10)
    assert run(1, code)[0x10] == 4


def test_uxrom_switches_the_lower_bank_and_fixes_the_upper(run) -> None:
    code = poke(0x8000, 3) + copy(0x8000, 0x10) + copy(0xC000, 0x11)
    assert list(run(2, code)[0x10:0x12]) == [6, 14]


def test_a_bank_number_beyond_the_last_wraps_around(run) -> None:
    assert run(2, poke(0x8000, 8 + 5) + copy(0x8000, 0x10))[0x10] == 10


def test_cnrom_switches_chr_banks(run) -> None:
    code = poke(0x8000, 2) + read_chr(0x0000, 0x10) + read_chr(0x1C00, 0x11)
    assert list(run(3, code, prg=2)[0x10:0x12]) == [16, 23]


@pytest.mark.parametrize(("inverted", "banks"), [(0, [5, 9, 14, 15]), (0x40, [14, 9, 5, 15])])
def test_mmc3_switches_8k_prg_banks(run, inverted: int, banks: list[int]) -> None:
    code = b"".join(
        poke(0x8000, inverted | register) + poke(0x8001, bank)
        for register, bank in ((6, 5), (7, 9))
    )
    code += b"".join(copy(0x8000 + 0x2000 * i, 0x10 + i) for i in range(4))
    assert list(run(4, code)[0x10:0x14]) == banks


@pytest.mark.parametrize("inverted", [0, 0x80])
def test_mmc3_switches_1k_and_2k_chr_banks(run, inverted: int) -> None:
    code = b"".join(
        poke(0x8000, inverted | register) + poke(0x8001, 10 + 2 * register) for register in range(6)
    )
    code += b"".join(read_chr(0x400 * i, 0x10 + i) for i in range(8))
    two_of_2k, four_of_1k = [10, 11, 12, 13], [14, 16, 18, 20]
    expected = four_of_1k + two_of_2k if inverted else two_of_2k + four_of_1k
    assert list(run(4, code)[0x10:0x18]) == expected


def test_mmc3_interrupts_after_the_requested_number_of_scanlines(run) -> None:
    on = poke(0x4017, 0x40) + poke(0xC000, 20) + poke(0xC001, 0) + poke(0xE001, 0)
    assert run(4, on + poke(0x2001, 0x1E) + b"\x58")[0x40] == 1
    assert run(4, on + poke(0x2001, 0x1E))[0x40] == 0  # masked
    assert run(4, on + poke(0x2001, 0x00) + b"\x58")[0x40] == 0  # rendering is off


@pytest.mark.parametrize(
    "rise",
    [
        set_vram_address(0x0000) + set_vram_address(0x1000),
        set_vram_address(0x0FFF) + copy(0x2007, 0x10),
        set_vram_address(0x2FFF) + poke(0x2007, 0),
    ],
    ids=["set", "read", "written"],
)
def test_mmc3_counts_rises_of_the_video_address_by_registers(run, rise: bytes) -> None:
    on = poke(0x4017, 0x40) + poke(0xC000, 3) + poke(0xC001, 0) + poke(0xE001, 0)
    assert run(4, on + 3 * rise + b"\x58")[0x40] == 0
    assert run(4, on + 4 * rise + b"\x58")[0x40] == 1, "the first rise loads the counter"
    assert run(4, on + 4 * rise)[0x40] == 0, "masked"
    staying = set_vram_address(0x1000) + set_vram_address(0x1400)
    assert run(4, on + rise + 4 * staying + b"\x58")[0x40] == 0, "no rises"


def test_the_apu_interrupts_once_a_frame_and_reports_active_channels(run) -> None:
    assert run(0, poke(0x4017, 0) + b"\x58", prg=2)[0x40] > 0
    assert run(0, poke(0x4017, 0x40) + b"\x58", prg=2)[0x40] == 0
    on = poke(0x4017, 0x40) + poke(0x4015, 1) + poke(0x4003, 0x08)
    assert run(0, on + copy(0x4015, 0x10), prg=2)[0x10] == 1
    assert run(0, on + poke(0x4015, 0) + copy(0x4015, 0x10), prg=2)[0x10] == 0


def test_cartridge_ram_exists_if_the_header_says_so(run) -> None:
    code = poke(0x6123, 77) + copy(0x6123, 0x10)
    assert run(0, code, prg=2, flags=2)[0x10] == 77
    assert run(0, code, prg=2)[0x10] == 0


def test_a_cartridge_without_chr_rom_has_writable_chr_ram(run) -> None:
    write = poke(0x2007, 99)
    assert run(2, set_vram_address(0x0123) + write + read_chr(0x0123, 0x10), chr_=0)[0x10] == 99
