"""The field of Pong."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from wrappers.pong import PongObservation, pong_picture


class Screen(gym.Env):
    """Shows one picture for ever."""

    action_space = gym.spaces.Discrete(1)

    def __init__(self, *shape) -> None:
        self.observation_space = gym.spaces.Box(0, 255, shape, np.uint8)

    def reset(self, *, seed=None, options=None):
        return self.observation_space.high, {}


def test_the_field_of_pong_is_the_tutorials() -> None:
    colors = np.array([0, 92, 109, 144, 236], np.uint8)
    screen = np.random.default_rng(0).choice(colors, size=(210, 160, 3))
    field = screen.copy()[35:195]  # as http://karpathy.github.io/2016/05/31/rl/ has it
    field = field[::2, ::2, 0]
    field[field == 144] = 0
    field[field == 109] = 0
    field[field != 0] = 1
    np.testing.assert_array_equal(pong_picture(screen), field * 255)


def test_pong_is_seen_on_an_ataris_screen_only() -> None:
    env = PongObservation(Screen(210, 160, 3))
    seen, _ = env.reset()
    assert seen in env.observation_space
    with pytest.raises(ValueError, match=r"needs a screen \(210, 160, 3\), got \(5, 7, 3\)"):
        PongObservation(Screen(5, 7, 3))
