"""The native emulator on its own, without a reference to compare it with."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mario.emulators import make_emulator
from mario.emulators.native import NativeEmulator, is_built
from mario.errors import UsageError
from mario.games.roms import mario_rom

pytestmark = pytest.mark.skipif(not is_built(), reason="the native emulator is not built")

START = 8
BUTTONS = [0, START, 128, 129, 131]


@pytest.fixture
def console() -> Iterator[NativeEmulator]:
    console = NativeEmulator(mario_rom())
    yield console
    console.close()


def play(console: NativeEmulator, frames: int, seed: int = 0) -> list[bytes]:
    """Press random buttons; return RAM and screen after each frame."""
    rng, outputs = random.Random(seed), []
    for _ in range(frames):
        console.advance(rng.choice(BUTTONS))
        outputs.append(bytes(console.ram) + console.screen().tobytes())
    return outputs


def test_it_is_the_default_where_it_is_built() -> None:
    assert make_emulator(mario_rom()).name == make_emulator(mario_rom(), "native").name == "native"


def test_the_screen_is_an_rgb_copy_with_a_blue_sky(console: NativeEmulator) -> None:
    for _ in range(60):
        console.advance(0)
    screen = console.screen()
    assert (screen.shape, screen.dtype) == ((240, 256, 3), np.uint8)
    red, green, blue = screen[150, 10]
    assert blue > green > red
    before = screen.copy()
    play(console, 100)
    np.testing.assert_array_equal(screen, before)


def test_ram_is_live_and_writable_and_holds_python_ints(console: NativeEmulator) -> None:
    assert (len(console.ram), type(console.ram[0])) == (2048, int)
    console.ram[0x700] = 255
    assert console.ram[0x700] + 1 == 256
    before = bytes(console.ram)
    play(console, 40)
    assert bytes(console.ram) != before


def test_skipping_rendering_does_not_change_the_game(console: NativeEmulator) -> None:
    other, rng = NativeEmulator(mario_rom()), random.Random(7)
    for frame in range(600):
        buttons, render = rng.choice(BUTTONS), frame % 4 == 3
        console.advance(buttons)
        other.advance(buttons, render)
        assert bytes(console.ram) == bytes(other.ram), frame
        assert not render or np.array_equal(console.screen(), other.screen()), frame


def test_loading_a_state_restores_the_complete_console(console: NativeEmulator) -> None:
    play(console, 200)
    state, screen = console.save_state(), console.screen()
    first = play(console, 120, seed=1)
    for other in (console, NativeEmulator(mario_rom())):
        play(other, 30, seed=2)
        other.load_state(state)
        assert other.save_state() == state
        np.testing.assert_array_equal(other.screen(), screen)
        assert play(other, 120, seed=1) == first


def test_restore_returns_to_the_last_backup_any_number_of_times(console: NativeEmulator) -> None:
    console.backup()
    play(console, 100)
    console.backup()
    first = play(console, 60, seed=1)
    for _ in range(2):
        play(console, 30, seed=2)
        console.restore()
        assert play(console, 60, seed=1) == first


def test_power_on_equals_a_new_console(console: NativeEmulator) -> None:
    play(console, 200)
    console.power_on()
    assert play(console, 100) == play(NativeEmulator(mario_rom()), 100)


def test_consoles_in_threads_are_independent(console: NativeEmulator) -> None:
    alone = [play(NativeEmulator(mario_rom()), 150, seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as threads:
        together = threads.map(lambda seed: play(NativeEmulator(mario_rom()), 150, seed), range(4))
        assert list(together) == alone


@pytest.mark.parametrize(
    "method", ["advance", "screen", "backup", "restore", "power_on", "save_state", "load_state"]
)
def test_using_a_closed_console_is_refused(console: NativeEmulator, method: str) -> None:
    console.close()
    console.close()
    arguments = {"advance": (0,), "load_state": (b"",)}
    with pytest.raises(ValueError, match="the emulator is closed; make a new one"):
        getattr(console, method)(*arguments.get(method, ()))


def test_ram_of_a_closed_console_is_released_but_a_slice_of_it_stays_valid() -> None:
    console = NativeEmulator(mario_rom())
    ram, part = console.ram, console.ram[0:8]
    part[0] = 77
    console.close()
    with pytest.raises(ValueError, match="released"):
        ram[0]
    del console
    assert bytes(part)[0] == 77


def test_restore_without_a_backup_is_refused(console: NativeEmulator) -> None:
    with pytest.raises(UsageError, match="0 bytes are not a state of this game"):
        console.restore()


def test_a_foreign_state_is_refused_and_changes_nothing(console: NativeEmulator) -> None:
    play(console, 20)
    before = console.save_state()
    other = NativeEmulator(mario_rom(lost_levels=True)).save_state()
    assert len(other) == len(before)
    for state in (other, before[:-1], before + b"\0", b"", b"x" * len(before)):
        with pytest.raises(UsageError, match="are not a state of this game; give bytes that"):
            console.load_state(state)
        assert console.save_state() == before


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_a_damaged_state_is_refused_or_can_be_played(data: st.DataObject) -> None:
    console = NativeEmulator(mario_rom())
    play(console, 3)
    state = bytearray(console.save_state())
    registers = st.integers(12, 2300)
    offsets = registers | st.integers(12, len(state) - 1)
    for offset in data.draw(st.lists(offsets, max_size=20)):
        state[offset] = data.draw(st.integers(0, 255))
    try:
        console.load_state(bytes(state))
    except UsageError:
        return
    play(console, 3)


def cartridge(mapper: int, prg: int = 2, chr_: int = 1) -> bytes:
    header = b"NES\x1a" + bytes([prg, chr_, mapper << 4]).ljust(12, b"\0")
    return header + bytes(prg * 0x4000 + chr_ * 0x2000)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is not an iNES ROM file"),
        (cartridge(0)[:9], "is cut off within its header"),
        (cartridge(0)[:-1], "is cut off: 40,975 bytes of 40,976"),
        (cartridge(5), "needs mapper 5"),
        (cartridge(0, prg=0), "has no program"),
        (cartridge(0)[:9] + b"\1" + cartridge(0)[10:], "is for PAL consoles"),
        (cartridge(0)[:6] + b"\4" + cartridge(0)[7:], "has a trainer"),
    ],
)
def test_an_unplayable_rom_is_refused(tmp_path: Path, data: bytes, problem: str) -> None:
    path = tmp_path / "game.nes"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=rf"ROM .*game\.nes {problem}"):
        NativeEmulator(path)


def run_without_extension(code: str) -> subprocess.CompletedProcess[str]:
    hide = (
        "import mario.emulators.native as native;"
        "native.find_spec = lambda name: None;"
        "from mario.emulators import make_emulator; from mario.games.roms import mario_rom;"
    )
    return subprocess.run([sys.executable, "-c", hide + code], capture_output=True, text=True)


def test_where_it_is_not_built_nes_py_is_used_and_one_warning_printed() -> None:
    done = run_without_extension("print([make_emulator(mario_rom()).name for _ in range(2)])")
    assert done.stdout == "['nes-py', 'nes-py']\n"
    assert done.stderr.count("\n") == 1
    assert "'native' is not built, so games run on nes-py" in done.stderr


def test_requesting_it_where_it_is_not_built_names_the_remedy() -> None:
    done = run_without_extension("make_emulator(mario_rom(), 'native')")
    assert "UsageError: emulator 'native' is not built; install a C++ compiler" in done.stderr
