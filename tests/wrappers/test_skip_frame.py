"""Tests of frame skipping."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from wrappers import SkipFrame


class FrameCounter(gym.Env):
    """Observation and reward are the frame number; ends at a given frame."""

    observation_space = gym.spaces.Discrete(100)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, terminates_at: int = -1, truncates_at: int = -1) -> None:
        self.ends = terminates_at, truncates_at
        self.actions: list[int] = []

    def reset(self, *, seed: int | None = None, options: Any = None):
        self.actions.clear()
        return 0, {}

    def step(self, action: int):
        self.actions.append(action)
        frame = len(self.actions)
        return frame, frame, frame == self.ends[0], frame == self.ends[1], {"frame": frame}


def test_a_step_repeats_its_action_and_sums_the_rewards() -> None:
    game = FrameCounter()
    env = SkipFrame(game, 4)
    env.reset()
    assert env.step(1) == (4, 1 + 2 + 3 + 4, False, False, {"frame": 4})
    assert env.step(0)[:2] == (8, 5 + 6 + 7 + 8)
    assert game.actions == [1] * 4 + [0] * 4


@pytest.mark.parametrize("end", ["terminates_at", "truncates_at"])
def test_an_episode_that_ends_within_a_step_is_not_continued(end: str) -> None:
    game = FrameCounter(**{end: 2})
    env = SkipFrame(game, 4)
    env.reset()
    over = (end == "terminates_at", end == "truncates_at")
    assert env.step(1) == (2, 3.0, *over, {"frame": 2})
    assert game.actions == [1, 1]


def test_a_skip_of_one_changes_nothing() -> None:
    env = SkipFrame(FrameCounter(), 1)
    env.reset()
    assert env.step(0) == (1, 1.0, False, False, {"frame": 1})


def test_a_skip_of_zero_is_rejected() -> None:
    with pytest.raises(ValueError, match="skip must be at least 1, got 0"):
        SkipFrame(FrameCounter(), 0)


class Flicker(gym.Env):
    """Draws two sprites, each on every other frame; ends after 6 frames."""

    observation_space = gym.spaces.Box(0, 255, (2,), np.uint8)
    action_space = gym.spaces.Discrete(1)

    def reset(self, *, seed=None, options=None):
        self.frame = 0
        return self.image(), {}

    def step(self, action):
        self.frame += 1
        return self.image(), 1.0, self.frame == 6, False, {}

    def image(self):
        return np.array([9 * (self.frame % 2), 5 * (1 - self.frame % 2)], np.uint8)


def test_max_pooling_shows_flickering_sprites() -> None:
    plain, pooled = SkipFrame(Flicker(), 4), SkipFrame(Flicker(), 4, max_pool=True)
    plain.reset()
    pooled.reset()
    assert plain.step(0)[0].tolist() == [0, 5]
    assert pooled.step(0)[0].tolist() == [9, 5]
    assert pooled.step(0)[0].tolist() == [0, 5]  # the episode ends after two frames


def test_a_single_frame_is_not_pooled() -> None:
    env = SkipFrame(Flicker(), 1, max_pool=True)
    env.reset()
    env.step(0)
    assert env.step(0)[0].tolist() == [0, 5]
