"""Differential tests of Super Mario Bros. against gym-super-mario-bros 7.4.0, frame by frame.

Run as a program, it records the results of that package for the plays in ``mario_plays.json``, so
that other versions of Python and of the emulator can be tested against them.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import random
import sys
import warnings
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mario.games.super_mario_bros import SuperMarioBros

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="gym-super-mario-bros 7.4.0 is not for this Python"
)

PLAYS = Path(__file__).parents[2] / "fixtures" / "mario_plays.json"
NOTHING: Mapping[int, int] = {}
RUN = 130
RUN_AND_JUMP = 131
BUTTON_WEIGHTS = {0: 1, 1: 2, 16: 1, 32: 2, 64: 2, 65: 1, 128: 6, 129: 6, RUN: 8, RUN_AND_JUMP: 20}
"""Weights with which random play holds buttons: mostly to the right, into obstacles."""


def make_reference(level: str | None, *, lost_levels: bool) -> Any:
    """Return the package's own game, with RAM as Python ints so that it runs with NumPy 2."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        from gym_super_mario_bros.smb_env import SuperMarioBrosEnv
        from nes_py import _rom
    _rom.ROM.header = property(lambda rom: rom.raw_data[:16].astype(int))

    class Reference(SuperMarioBrosEnv):
        def _ram_buffer(self) -> memoryview:
            return memoryview(super()._ram_buffer())

    target = level and tuple(map(int, level.split("-")))
    return Reference(target=target, lost_levels=lost_levels)


def random_buttons(seed: int) -> Iterator[int]:
    rng = random.Random(seed)
    while True:
        mask = rng.choices(list(BUTTON_WEIGHTS), list(BUTTON_WEIGHTS.values()))[0]
        yield from itertools.repeat(mask, rng.randint(1, 24))


def assert_same_play(
    level: str | None,
    lost_levels: bool,
    buttons: Iterable[int],
    *,
    poke: Mapping[int, int] = NOTHING,
) -> set[str]:
    """Step both games, after writing ``poke`` into their RAM; return how episodes ended."""
    reference = make_reference(level, lost_levels=lost_levels)
    game = SuperMarioBros(
        level=level, lost_levels=lost_levels, actions="buttons", stall_frames=None
    )
    np.testing.assert_array_equal(game.reset()[0], reference.reset())
    for address, value in poke.items():
        reference.ram[address] = game.ram[address] = value
    endings = set()
    for frame, mask in enumerate(buttons):
        screen, reward, terminated, truncated, info = game.step(mask)
        reference_screen, reference_reward, done, reference_info = reference.step(mask)
        assert (reward, terminated) == (reference_reward, done), frame
        assert {key: info[key] for key in reference_info} == reference_info, frame
        assert np.array_equal(screen, reference_screen), frame
        endings.add(info["ending"])
        assert not truncated
        if terminated:
            np.testing.assert_array_equal(game.reset()[0], reference.reset())
    return endings - {""}


def buttons_of(play: dict[str, Any]) -> Iterator[int]:
    """Yield the buttons of each frame of a recorded play."""
    for mask, frames in play["buttons"]:
        yield from itertools.repeat(mask, frames)


@pytest.mark.parametrize("play", json.loads(PLAYS.read_text()), ids=lambda play: play["name"])
def test_recorded_plays_have_the_same_rewards_and_screens(play: dict[str, Any]) -> None:
    endings = assert_same_play(play["level"], play["lost_levels"], buttons_of(play))
    assert endings >= set(play["ends"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "level", ["1-1", "1-2", "1-4", "2-1", "2-2", "3-3", "4-1", "5-3", "6-4", "7-2", "8-2", "8-4"]
)
def test_random_play_of_a_level_has_the_same_rewards_and_screens(level: str) -> None:
    assert_same_play(level, False, itertools.islice(random_buttons(seed=1), 1500))


@pytest.mark.slow
@pytest.mark.parametrize("level", [None, "1-2", "2-1", "3-4", "4-1"])
def test_random_play_of_the_lost_levels_has_the_same_rewards_and_screens(level: str | None) -> None:
    assert_same_play(level, True, itertools.islice(random_buttons(seed=2), 1500))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 4])
def test_random_play_of_the_whole_game_has_the_same_rewards_and_screens(seed: int) -> None:
    endings = assert_same_play(None, False, itertools.islice(random_buttons(seed), 4000))
    assert endings <= {"game over"}


def test_the_end_of_a_world_is_skipped_in_the_same_way() -> None:
    world, stage, area, mode = 0x75F, 0x75C, 0x760, 0x770
    world_cleared = {world: 0, stage: 3, area: 4, mode: 2}
    assert_same_play(None, False, [RUN] * 200, poke=world_cleared)


def record(play: dict[str, Any], every: int = 100) -> dict[str, Any]:
    """Play with the package; return checksums of rewards and screens, and some infos."""
    reference = make_reference(play["level"], lost_levels=play["lost_levels"])
    reference.reset()
    rewards, infos, screens, done_at = [], [], [], []
    for frame, mask in enumerate(buttons_of(play)):
        screen, reward, done, info = reference.step(mask)
        rewards.append(int(reward))
        if frame % every == 0 or done:
            screens.append(zlib.crc32(screen.tobytes()))
            infos.append(
                [frame, {key: int(v) if key != "status" else v for key, v in info.items()}]
            )
        if done:
            done_at.append(frame)
            reference.reset()
    return {
        "done_at": done_at,
        "reward": sum(rewards),
        "rewards_crc": zlib.crc32(json.dumps(rewards).encode()),
        "screens_crc": zlib.crc32(json.dumps(screens).encode()),
        "infos": infos,
    }


if __name__ == "__main__":
    plays = [play | record(play) for play in json.loads(PLAYS.read_text())]
    PLAYS.write_text("[\n" + ",\n".join(map(json.dumps, plays)) + "\n]\n")
