"""Gray pictures."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wrappers import GrayScaleObservation


class Picture(gym.Env):
    """Shows one picture for ever."""

    action_space = gym.spaces.Discrete(1)

    def __init__(self, picture) -> None:
        self.picture = np.asarray(picture)
        high = 255 if self.picture.dtype == np.uint8 else 1
        self.observation_space = gym.spaces.Box(0, high, self.picture.shape, self.picture.dtype)

    def reset(self, *, seed=None, options=None):
        return self.picture, {}


@given(arrays(np.uint8, (5, 7, 3), elements=st.integers(0, 255)))
def test_gray_is_the_weighted_mean_of_the_colors(picture) -> None:
    env = GrayScaleObservation(Picture(picture))
    gray, _ = env.reset()
    assert gray in env.observation_space
    expected = picture @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(gray, expected, atol=0.51)


@pytest.mark.parametrize(
    ("picture", "shape"),
    [
        (np.zeros((4, 4), np.uint8), r"uint8 \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), r"uint8 \(4, 4, 4\)"),
        (np.zeros((4, 4, 3), np.float32), r"float32 \(4, 4, 3\)"),
    ],
)
def test_what_is_no_picture_is_refused(picture, shape: str) -> None:
    with pytest.raises(ValueError, match=f"gray needs pictures, .*, got {shape}"):
        GrayScaleObservation(Picture(picture))
