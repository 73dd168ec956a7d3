"""The native emulator by itself: a console like any other, whose whole state is bytes."""

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
from mario.emulators.native import Native, is_built
from mario.errors import UsageError
from mario.games.roms import mario_rom

pytestmark = pytest.mark.skipif(not is_built(), reason="the native emulator is not built")

START = 8
BUTTONS = [0, START, 128, 129, 131]


@pytest.fixture
def console() -> Iterator[Native]:
    console = Native(mario_rom())
    yield console
    console.close()


def play(console: Native, frames: int, seed: int = 0) -> list[bytes]:
    """Memory and screen after each frame of a random play."""
    rng, seen = random.Random(seed), []
    for _ in range(frames):
        console.advance(rng.choice(BUTTONS))
        seen.append(bytes(console.ram) + console.screen().tobytes())
    return seen


def test_it_is_what_plays_where_it_is_built() -> None:
    assert make_emulator(mario_rom()).name == make_emulator(mario_rom(), "native").name == "native"


def test_the_screen_is_a_fresh_rgb_picture_with_a_blue_sky(console: Native) -> None:
    for _ in range(60):
        console.advance(0)
    screen = console.screen()
    assert (screen.shape, screen.dtype) == ((240, 256, 3), np.uint8)
    red, green, blue = screen[150, 10]
    assert blue > green > red
    kept = screen.copy()
    play(console, 100)
    np.testing.assert_array_equal(screen, kept)


def test_memory_is_live_python_ints_and_can_be_written(console: Native) -> None:
    assert (len(console.ram), type(console.ram[0])) == (2048, int)
    console.ram[0x700] = 255
    assert console.ram[0x700] + 1 == 256
    before = bytes(console.ram)
    play(console, 40)
    assert bytes(console.ram) != before


def test_a_frame_that_is_not_drawn_does_the_same_to_the_game(console: Native) -> None:
    other, rng = Native(mario_rom()), random.Random(7)
    for frame in range(600):
        buttons, drawn = rng.choice(BUTTONS), frame % 4 == 3
        console.advance(buttons)
        other.advance(buttons, drawn)
        assert bytes(console.ram) == bytes(other.ram), frame
        assert not drawn or np.array_equal(console.screen(), other.screen()), frame


def test_a_state_brings_back_all_there_is_to_a_moment(console: Native) -> None:
    play(console, 200)
    state, screen = console.save_state(), console.screen()
    first = play(console, 120, seed=1)
    for other in (console, Native(mario_rom())):
        play(other, 30, seed=2)
        other.load_state(state)
        assert other.save_state() == state
        np.testing.assert_array_equal(other.screen(), screen)
        assert play(other, 120, seed=1) == first


def test_rewinding_returns_to_the_last_mark_as_often_as_wanted(console: Native) -> None:
    console.mark()
    play(console, 100)
    console.mark()
    first = play(console, 60, seed=1)
    for _ in range(2):
        play(console, 30, seed=2)
        console.rewind()
        assert play(console, 60, seed=1) == first


def test_power_on_begins_as_a_new_console(console: Native) -> None:
    play(console, 200)
    console.power_on()
    assert play(console, 100) == play(Native(mario_rom()), 100)


def test_consoles_in_threads_do_not_touch_each_other(console: Native) -> None:
    alone = [play(Native(mario_rom()), 150, seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as threads:
        together = threads.map(lambda seed: play(Native(mario_rom()), 150, seed), range(4))
        assert list(together) == alone


@pytest.mark.parametrize(
    "use", ["advance", "screen", "mark", "rewind", "power_on", "save_state", "load_state"]
)
def test_a_closed_console_says_so(console: Native, use: str) -> None:
    console.close()
    console.close()
    argument = {"advance": (0,), "load_state": (b"",)}
    with pytest.raises(ValueError, match="the emulator is closed; make a new one"):
        getattr(console, use)(*argument.get(use, ()))


def test_memory_of_a_closed_console_is_refused_and_a_part_of_it_is_never_freed() -> None:
    console = Native(mario_rom())
    ram, part = console.ram, console.ram[0:8]
    console.close()
    with pytest.raises(ValueError, match="released"):
        ram[0]
    del console
    assert len(bytes(part)) == 8


def test_a_mark_has_to_be_set_before_it_is_returned_to(console: Native) -> None:
    with pytest.raises(UsageError, match="0 bytes are no state of this game"):
        console.rewind()


def test_a_state_of_another_cartridge_is_refused_and_changes_nothing(console: Native) -> None:
    play(console, 20)
    before = console.save_state()
    other = Native(mario_rom(lost_levels=True)).save_state()
    assert len(other) == len(before)
    for state in (other, before[:-1], before + b"\0", b"", b"x" * len(before)):
        with pytest.raises(UsageError, match="are no state of this game; give one it saved"):
            console.load_state(state)
        assert console.save_state() == before


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_a_damaged_state_is_refused_or_plays_on(data: st.DataObject) -> None:
    console = Native(mario_rom())
    play(console, 3)
    state = bytearray(console.save_state())
    front = st.integers(12, 2300)
    for place in data.draw(st.lists(front | st.integers(12, len(state) - 1), max_size=20)):
        state[place] = data.draw(st.integers(0, 255))
    try:
        console.load_state(bytes(state))
    except UsageError:
        return
    play(console, 3)


def cartridge(mapper: int, prg: int = 2, chr_: int = 1) -> bytes:
    header = b"NES\x1a" + bytes([prg, chr_, mapper << 4]).ljust(12, b"\0")
    return header + bytes(prg * 0x4000 + chr_ * 0x2000)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "is not an iNES ROM file"),
        (cartridge(0)[:9], "is cut off within its header"),
        (cartridge(0)[:-1], "is cut off: 40,975 bytes of 40,976"),
        (cartridge(5), "needs mapper 5"),
        (cartridge(0, prg=0), "holds no program"),
        (cartridge(0)[:9] + b"\1" + cartridge(0)[10:], "is for PAL consoles"),
        (cartridge(0)[:6] + b"\4" + cartridge(0)[7:], "has a trainer"),
    ],
)
def test_a_rom_that_cannot_be_played_is_refused(tmp_path: Path, data: bytes, fault: str) -> None:
    path = tmp_path / "game.nes"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=rf"ROM .*game\.nes {fault}"):
        Native(path)


def run_without_extension(code: str) -> subprocess.CompletedProcess[str]:
    hide = (
        "import importlib.util; find = importlib.util.find_spec;"
        "import mario.emulators.native as native;"
        "native.find_spec = lambda name: None;"
        "from mario.emulators import make_emulator; from mario.games.roms import mario_rom;"
    )
    return subprocess.run([sys.executable, "-c", hide + code], capture_output=True, text=True)


def test_where_it_is_not_built_nes_py_plays_after_one_line_of_notice() -> None:
    done = run_without_extension("print([make_emulator(mario_rom()).name for _ in range(2)])")
    assert done.stdout == "['nes-py', 'nes-py']\n"
    assert done.stderr.count("\n") == 1
    assert "'native' is not built, so games run on nes-py" in done.stderr


def test_asking_for_it_where_it_is_not_built_tells_the_remedy() -> None:
    done = run_without_extension("make_emulator(mario_rom(), 'native')")
    assert "UsageError: emulator 'native' is not built; install a C++ compiler" in done.stderr
