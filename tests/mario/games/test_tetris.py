"""Tetris, a game written as a user would write one."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from mario.config.env_config import EnvConfig, StartCurriculumConfig
from mario.games.starts.start_curriculum import draw_steps_before_loss
from mario.games.tetris import ROWS, Tetris
from mario.vector.env import wrap_game
from wrappers import WrapperConfig

NOOP, DOWN, START = 0, 3, 8
PIECE, SQUARE = 0x42, 10


@pytest.fixture
def game() -> Iterator[Tetris]:
    game = Tetris()
    game.reset(seed=0)
    yield game
    game.close()


def trace(game: Tetris, seed: int, frames: int = 300) -> str:
    rng, digest = random.Random(0), hashlib.sha1(game.reset(seed=seed)[0])
    for _ in range(frames):
        digest.update(game.step(rng.randrange(6))[0])
        digest.update(game.ram)
    return digest.hexdigest()


def drop_until(game: Tetris, key: str, value: Any, limit: int = 2000) -> list[tuple[float, Any]]:
    steps = []
    for frame in range(limit):  # the button must be released for each piece
        _, reward, _, _, info = game.step(DOWN if frame % 20 else NOOP)
        steps.append((reward, info))
        if info[key] == value:
            return steps
    raise AssertionError(f"{key} is still {info[key]} after {limit} frames")


def test_an_episode_depends_only_on_its_seed(game: Tetris) -> None:
    first = trace(game, seed=1)
    game.reset(seed=2)
    drop_until(game, "ending", "game over")
    assert trace(game, seed=1) == first
    assert trace(Tetris(), seed=1) == first
    assert trace(game, seed=2) != first


def test_an_episode_can_start_shortly_before_a_loss(game: Tetris) -> None:
    curriculum = StartCurriculumConfig(probability=1.0)
    wrappers = WrapperConfig(noop_max=30, stack=1)
    env = wrap_game(game, EnvConfig("", wrappers=wrappers, start_curriculum=curriculum))
    actions, observations = [], []
    env.reset(seed=1)
    terminated = False
    while not terminated:
        actions.append(DOWN if len(actions) % 5 else NOOP)
        observation, _, terminated, _, _ = env.step(actions[-1])
        observations.append(observation)
    observation, info = env.reset(seed=2)
    assert info["start_offset"] == len(actions) - draw_steps_before_loss(curriculum, 2) > 100
    for step in range(info["start_offset"], len(actions)):
        np.testing.assert_array_equal(observation, observations[step - 1])
        observation, *_ = env.step(actions[step])


def test_a_growing_stack_is_penalized_and_ends_the_game(game: Tetris) -> None:
    steps = drop_until(game, "ending", "game over")
    assert sum(reward for reward, _ in steps) == -steps[-1][1]["height"] == -20
    assert steps[-1][1]["pieces"] > 5


def test_a_line_has_a_reward_of_ten(game: Tetris) -> None:
    while game.ram[PIECE] != SQUARE:
        game.reset()
    for column in (0, 1, 2, 3, 6, 7, 8, 9):
        game.ram[ROWS[19].start + column] = 0x7B
    game.step(NOOP)
    steps = drop_until(game, "lines", 1)
    assert steps[-1][0] == 10


def test_an_episode_in_a_paused_game_is_truncated() -> None:
    game = Tetris(actions="buttons", stall_frames=1000)
    game.reset(seed=0)
    game.step(START)
    truncated = [game.step(NOOP)[3] for _ in range(1000)]
    assert truncated == [False] * 999 + [True]


def test_gymnasiums_environment_checker_accepts_the_game(recwarn) -> None:
    check_env(Tetris(render_mode="rgb_array"), skip_render_check=True)
