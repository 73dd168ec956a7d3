"""The nes-py emulator, with the cartridge of Super Mario Bros. in it."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mario.emulators import Emulator, make_emulator
from mario.emulators.emulator import StateNotSupportedError
from mario.errors import UsageError
from mario.games.roms import mario_rom

START = 8


@pytest.fixture
def console() -> Iterator[Emulator]:
    console = make_emulator(mario_rom(), "nes-py")
    yield console
    console.close()


def play(console: Emulator, frames: int, seed: int = 0) -> list[bytes]:
    """Memory and screen after each frame of a random play."""
    rng, seen = random.Random(seed), []
    for _ in range(frames):
        console.advance(rng.choice([0, START, 128, 129, 131]))
        seen.append(bytes(console.ram) + console.screen().tobytes())
    return seen


def test_the_screen_is_a_fresh_rgb_picture(console: Emulator) -> None:
    play(console, 60)
    screen = console.screen()
    assert (screen.shape, screen.dtype) == ((240, 256, 3), np.uint8)
    kept = screen.copy()
    screen[:] = 0
    play(console, 1)
    np.testing.assert_array_equal(screen, 0)
    assert kept.any()


def test_the_sky_is_blue(console: Emulator) -> None:
    for _ in range(60):
        console.advance(0)
    red, green, blue = console.screen()[150, 10]
    assert blue > green > red


def test_memory_is_live_python_ints_and_can_be_written(console: Emulator) -> None:
    assert (len(console.ram), type(console.ram[0])) == (2048, int)
    console.ram[0x700] = 255
    assert console.ram[0x700] + 1 == 256
    before = bytes(console.ram)
    play(console, 40)
    assert bytes(console.ram) != before


def test_rewinding_returns_to_the_marked_moment_as_often_as_wanted(console: Emulator) -> None:
    play(console, 100)
    console.mark()
    first = play(console, 60, seed=1)
    for _ in range(2):
        play(console, 30, seed=2)
        console.rewind()
        assert play(console, 60, seed=1) == first


def test_a_later_mark_takes_the_place_of_the_one_before(console: Emulator) -> None:
    console.mark()
    play(console, 50)
    console.mark()
    marked = bytes(console.ram)
    play(console, 50)
    console.rewind()
    assert bytes(console.ram) == marked


def test_power_on_begins_as_a_new_console(console: Emulator) -> None:
    fresh = play(make_emulator(mario_rom(), "nes-py"), 50)
    play(console, 200)
    console.power_on()
    assert play(console, 50) == fresh


def test_two_consoles_do_not_touch_each_other(console: Emulator) -> None:
    alone = play(console, 50)
    console.power_on()
    other = make_emulator(mario_rom(), "nes-py")
    rng, seen = random.Random(0), []
    for _ in range(50):
        other.advance(START)
        console.advance(rng.choice([0, START, 128, 129, 131]))
        seen.append(bytes(console.ram) + console.screen().tobytes())
    assert seen == alone


@pytest.mark.parametrize("use", ["advance", "screen", "mark", "rewind"])
def test_a_closed_console_says_so(console: Emulator, use: str) -> None:
    console.close()
    console.close()
    with pytest.raises(ValueError, match="the emulator is closed; make a new one"):
        getattr(console, use)(*[0] * (use == "advance"))


def test_memory_of_a_closed_console_is_refused_and_a_part_of_it_is_never_freed(console) -> None:
    ram, part = console.ram, console.ram[0:8]
    console.close()
    with pytest.raises(ValueError, match="released"):
        ram[0]
    assert len(bytes(part)) == 8


def test_its_state_is_not_to_be_had_as_bytes(console: Emulator) -> None:
    with pytest.raises(StateNotSupportedError, match="nes-py cannot give its state"):
        console.save_state()
    with pytest.raises(StateNotSupportedError, match="nes-py cannot take its state"):
        console.load_state(b"")


def test_a_path_may_have_any_letters(tmp_path: Path, console: Emulator) -> None:
    path = shutil.copy(mario_rom(), tmp_path / "スーパー märio.nes")
    assert play(make_emulator(Path(path), "nes-py"), 50) == play(console, 50)


def test_an_unknown_emulator_is_named() -> None:
    with pytest.raises(UsageError, match="unknown emulator 'nes_py'; did you mean 'nes-py'"):
        make_emulator(mario_rom(), "nes_py")


def test_without_nes_py_there_is_a_remedy() -> None:
    code = (
        "import importlib.util, pathlib; find = importlib.util.find_spec;"
        "importlib.util.find_spec = lambda name, *a: None if name == 'nes_py' else find(name, *a);"
        "from mario.emulators import make_emulator;"
        "make_emulator(pathlib.Path('game.nes'), 'nes-py')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "emulator 'nes-py' is not installed; pip install nes-py" in done.stderr
