"""The nes-py emulator, with the ROM of Super Mario Bros."""

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
BUTTONS = [0, START, 128, 129, 131]


@pytest.fixture
def console() -> Iterator[Emulator]:
    console = make_emulator(mario_rom(), "nes-py")
    yield console
    console.close()


def play(console: Emulator, frames: int, seed: int = 0) -> list[bytes]:
    """Press random buttons; return RAM and screen after each frame."""
    rng, outputs = random.Random(seed), []
    for _ in range(frames):
        console.advance(rng.choice(BUTTONS))
        outputs.append(bytes(console.ram) + console.screen().tobytes())
    return outputs


def test_the_screen_is_an_rgb_copy(console: Emulator) -> None:
    play(console, 60)
    screen = console.screen()
    assert (screen.shape, screen.dtype) == ((240, 256, 3), np.uint8)
    before = screen.copy()
    screen[:] = 0
    play(console, 1)
    np.testing.assert_array_equal(screen, 0)
    assert before.any()


def test_the_sky_is_blue(console: Emulator) -> None:
    for _ in range(60):
        console.advance(0)
    red, green, blue = console.screen()[150, 10]
    assert blue > green > red


def test_ram_is_live_and_writable_and_holds_python_ints(console: Emulator) -> None:
    assert (len(console.ram), type(console.ram[0])) == (2048, int)
    console.ram[0x700] = 255
    assert console.ram[0x700] + 1 == 256
    before = bytes(console.ram)
    play(console, 40)
    assert bytes(console.ram) != before


def test_restore_returns_to_the_backup_any_number_of_times(console: Emulator) -> None:
    play(console, 100)
    console.backup()
    first = play(console, 60, seed=1)
    for _ in range(2):
        play(console, 30, seed=2)
        console.restore()
        assert play(console, 60, seed=1) == first


def test_a_later_backup_replaces_the_previous_one(console: Emulator) -> None:
    console.backup()
    play(console, 50)
    console.backup()
    saved = bytes(console.ram)
    play(console, 50)
    console.restore()
    assert bytes(console.ram) == saved


def test_power_on_equals_a_new_console(console: Emulator) -> None:
    fresh = play(make_emulator(mario_rom(), "nes-py"), 50)
    play(console, 200)
    console.power_on()
    assert play(console, 50) == fresh


def test_two_consoles_are_independent(console: Emulator) -> None:
    alone = play(console, 50)
    console.power_on()
    other = make_emulator(mario_rom(), "nes-py")
    rng, outputs = random.Random(0), []
    for _ in range(50):
        other.advance(START)
        console.advance(rng.choice(BUTTONS))
        outputs.append(bytes(console.ram) + console.screen().tobytes())
    assert outputs == alone


@pytest.mark.parametrize("method", ["advance", "screen", "backup", "restore"])
def test_using_a_closed_console_is_refused(console: Emulator, method: str) -> None:
    console.close()
    console.close()
    with pytest.raises(ValueError, match="the emulator is closed; make a new one"):
        getattr(console, method)(*[0] * (method == "advance"))


def test_ram_of_a_closed_console_is_released_but_a_slice_of_it_stays_valid(console) -> None:
    ram, part = console.ram, console.ram[0:8]
    console.close()
    with pytest.raises(ValueError, match="released"):
        ram[0]
    assert len(bytes(part)) == 8


def test_saving_the_state_as_bytes_is_refused(console: Emulator) -> None:
    with pytest.raises(StateNotSupportedError, match="nes-py cannot save its state as bytes"):
        console.save_state()
    with pytest.raises(StateNotSupportedError, match="nes-py cannot load a state from bytes"):
        console.load_state(b"")


def test_a_path_may_contain_any_characters(tmp_path: Path, console: Emulator) -> None:
    path = shutil.copy(mario_rom(), tmp_path / "スーパー märio.nes")
    assert play(make_emulator(Path(path), "nes-py"), 50) == play(console, 50)


def test_an_unknown_emulator_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown emulator 'nes_py'; did you mean 'nes-py'"):
        make_emulator(mario_rom(), "nes_py")


def test_a_missing_nes_py_is_reported_with_the_remedy() -> None:
    code = (
        "import importlib.util, pathlib; find = importlib.util.find_spec;"
        "importlib.util.find_spec = lambda name, *a: None if name == 'nes_py' else find(name, *a);"
        "from mario.emulators import make_emulator;"
        "make_emulator(pathlib.Path('game.nes'), 'nes-py')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "emulator 'nes-py' is not installed; pip install nes-py" in done.stderr
