"""Tests of the preprocessing of Pong."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from wrappers.pong import PongObservation, binarize_pong


class ScreenEnv(gym.Env):
    """Returns the same screen at every reset."""

    action_space = gym.spaces.Discrete(1)

    def __init__(self, *shape) -> None:
        self.observation_space = gym.spaces.Box(0, 255, shape, np.uint8)

    def reset(self, *, seed=None, options=None):
        return self.observation_space.high, {}


def test_binarization_equals_the_original_implementation() -> None:
    colors = np.array([0, 92, 109, 144, 236], np.uint8)
    screen = np.random.default_rng(0).choice(colors, size=(210, 160, 3))
    field = screen.copy()[35:195]  # from http://karpathy.github.io/2016/05/31/rl/
    field = field[::2, ::2, 0]
    field[field == 144] = 0
    field[field == 109] = 0
    field[field != 0] = 1
    np.testing.assert_array_equal(binarize_pong(screen), field * 255)


def test_only_atari_screens_are_accepted() -> None:
    env = PongObservation(ScreenEnv(210, 160, 3))
    observation, _ = env.reset()
    assert observation in env.observation_space
    with pytest.raises(
        ValueError, match=r"needs a screen of shape \(210, 160, 3\), got \(5, 7, 3\)"
    ):
        PongObservation(ScreenEnv(5, 7, 3))
