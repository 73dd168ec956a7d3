"""Deciding once in several frames."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from wrappers import SkipFrame


class TapeGame(gym.Env):
    """Shows the number of its frame, and earns it; ends as told."""

    observation_space = gym.spaces.Discrete(100)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, terminates_at: int = -1, truncates_at: int = -1) -> None:
        self.ends = terminates_at, truncates_at
        self.tape: list[int] = []

    def reset(self, *, seed: int | None = None, options: Any = None):
        self.tape.clear()
        return 0, {}

    def step(self, action: int):
        self.tape.append(action)
        frame = len(self.tape)
        return frame, frame, frame == self.ends[0], frame == self.ends[1], {"frame": frame}


def test_a_decision_holds_its_action_and_sums_what_the_frames_earn() -> None:
    game = TapeGame()
    env = SkipFrame(game, 4)
    env.reset()
    assert env.step(1) == (4, 1 + 2 + 3 + 4, False, False, {"frame": 4})
    assert env.step(0)[:2] == (8, 5 + 6 + 7 + 8)
    assert game.tape == [1] * 4 + [0] * 4


@pytest.mark.parametrize("end", ["terminates_at", "truncates_at"])
def test_a_game_that_ends_between_decisions_is_not_played_on(end: str) -> None:
    game = TapeGame(**{end: 2})
    env = SkipFrame(game, 4)
    env.reset()
    over = (end == "terminates_at", end == "truncates_at")
    assert env.step(1) == (2, 3.0, *over, {"frame": 2})
    assert game.tape == [1, 1]


def test_one_frame_a_decision_changes_nothing() -> None:
    env = SkipFrame(TapeGame(), 1)
    env.reset()
    assert env.step(0) == (1, 1.0, False, False, {"frame": 1})


def test_no_frame_a_decision_is_refused() -> None:
    with pytest.raises(ValueError, match="skip must be at least 1, got 0"):
        SkipFrame(TapeGame(), 0)


class Flicker(gym.Env):
    """Two things, each to be seen on every other frame; over after 6 frames."""

    observation_space = gym.spaces.Box(0, 255, (2,), np.uint8)
    action_space = gym.spaces.Discrete(1)

    def reset(self, *, seed=None, options=None):
        self.frame = 0
        return self.picture(), {}

    def step(self, action):
        self.frame += 1
        return self.picture(), 1.0, self.frame == 6, False, {}

    def picture(self):
        return np.array([9 * (self.frame % 2), 5 * (1 - self.frame % 2)], np.uint8)


def test_what_flickers_is_seen_where_frames_are_pooled() -> None:
    plain, pooled = SkipFrame(Flicker(), 4), SkipFrame(Flicker(), 4, pool=True)
    plain.reset()
    pooled.reset()
    assert plain.step(0)[0].tolist() == [0, 5]
    assert pooled.step(0)[0].tolist() == [9, 5]
    assert pooled.step(0)[0].tolist() == [0, 5]  # over after two frames


def test_one_frame_alone_is_not_pooled() -> None:
    env = SkipFrame(Flicker(), 1, pool=True)
    env.reset()
    env.step(0)
    assert env.step(0)[0].tolist() == [0, 5]
