"""The frame stack restarts with each level and life, as if each was played alone."""

from __future__ import annotations

import json
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from doubles import FakeGame

from mario.errors import UsageError
from mario.games import make_game
from mario.playback.level_stack import ResetStackOnNewLevel
from wrappers import WrapperConfig, wrap

STACK = 4
STATUS_BAR_ROWS = 12
PLAYS = json.loads((Path(__file__).parents[2] / "fixtures" / "mario_plays.json").read_text())


class NumberedGame(gym.Env):
    """Observations are the numbers of the latest frames; each frame has a given position."""

    observation_space = gym.spaces.Box(0, 255, (STACK, 1), np.uint8)
    action_space = gym.spaces.Discrete(1)

    def __init__(self, *positions):
        self.positions, self.frame = positions, 0

    def info(self):
        return dict(zip(("world", "stage", "life"), self.positions[self.frame], strict=True))

    def reset(self, *, seed=None, options=None):
        self.frame = 0
        return self.observe(), self.info()

    def step(self, action):
        info = self.info()  # precedes a cut scene, as in the real game
        self.frame += 1
        return self.observe(), 0.0, False, False, info

    def observe(self):
        numbers = np.arange(self.frame - STACK + 1, self.frame + 1)
        return np.clip(numbers, 0, None)[:, None].astype("u1")


def play(*positions):
    """Return the frame numbers in the stack, and the level, at each step."""
    env = ResetStackOnNewLevel(NumberedGame(*positions))
    states = [env.reset()[0]]
    levels = [env.level]
    for _ in positions[1:]:
        states.append(env.step(0)[0])
        levels.append(env.level)
    return [state[:, 0].tolist() for state in states], levels


def test_the_stack_is_unchanged_within_a_level():
    states, levels = play(*[(1, 1, 2)] * 6)
    assert states[0] == [0, 0, 0, 0]
    assert states[2] == [0, 0, 1, 2]
    assert states[5] == [2, 3, 4, 5]
    assert set(levels) == {"1-1"}


@pytest.mark.parametrize("following", [(1, 2, 2), (4, 1, 2), (1, 1, 1)])
def test_a_new_level_or_life_starts_with_its_first_frame_repeated(following):
    states, levels = play(*[(1, 1, 2)] * 5, *[following] * 5)
    assert states[4] == [1, 2, 3, 4]
    assert states[5:] == [[5, 5, 5, 5], [5, 5, 5, 6], [5, 5, 6, 7], [5, 6, 7, 8], [6, 7, 8, 9]]
    assert levels[5:] == [f"{following[0]}-{following[1]}"] * 5


def test_levels_and_lives_in_quick_succession_are_not_mixed():
    states, levels = play((1, 1, 2), (1, 1, 2), (1, 1, 1), (1, 1, 0), (1, 2, 0), (1, 2, 0))
    assert states[2:] == [[2] * 4, [3] * 4, [4] * 4, [4, 4, 4, 5]]
    assert levels[3:] == ["1-1", "1-2", "1-2"]


def test_reset_returns_to_the_first_level():
    env = ResetStackOnNewLevel(NumberedGame((1, 1, 2), (1, 2, 2), (1, 2, 2)))
    env.reset()
    env.step(0)
    assert env.level == "1-2"
    assert env.reset()[0][:, 0].tolist() == [0] * 4
    assert env.level == "1-1"


def test_observations_of_the_game_are_not_modified():
    observations = []

    class Recording(NumberedGame):
        def observe(self):
            observations.append(super().observe())
            return observations[-1]

    env = ResetStackOnNewLevel(Recording((1, 1, 2), (1, 1, 2), (1, 2, 2)))
    env.reset()
    env.step(0)
    env.step(0)
    assert observations[-1][:, 0].tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("game", [FakeGame(), gym.make("CartPole-v1")])
def test_a_game_without_levels_is_refused(game):
    with pytest.raises(UsageError, match="has no levels for agents to share; give one checkpoint"):
        ResetStackOnNewLevel(game).reset()


def test_the_full_game_enters_a_level_like_the_game_of_that_level():
    """The pictures are equal below the status bar with score and coins."""
    (recording,) = (play for play in PLAYS if play["name"] == "whole game into 1-2")
    env = ResetStackOnNewLevel(
        wrap(make_game("SuperMarioBros-v0", actions="buttons"), WrapperConfig(skip=1))
    )
    level_env = wrap(make_game("SuperMarioBros-1-2-v0"), WrapperConfig(skip=1))
    env.reset()
    masks = (mask for mask, frames in recording["buttons"] for _ in range(frames))
    while env.level == "1-1":
        state, *_ = env.step(next(masks))
    first, _ = level_env.reset()
    assert env.level == "1-2"
    assert (state[:, STATUS_BAR_ROWS:] == first[:, STATUS_BAR_ROWS:]).all()
    env.close()
    level_env.close()
