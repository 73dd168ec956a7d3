"""Tests of image preprocessing."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wrappers import GrayScaleObservation, OrangeObservation
from wrappers.observation import CropTop, ShowAction, marker_size


class ImageEnv(gym.Env):
    """Returns the same image at every reset."""

    action_space = gym.spaces.Discrete(1)

    def __init__(self, image) -> None:
        self.image = np.asarray(image)
        high = 255 if self.image.dtype == np.uint8 else 1
        self.observation_space = gym.spaces.Box(0, high, self.image.shape, self.image.dtype)

    def reset(self, *, seed=None, options=None):
        return self.image, {}


@pytest.mark.parametrize(
    ("wrapper", "weights"),
    [(GrayScaleObservation, (0.299, 0.587, 0.114)), (OrangeObservation, (0.65, 0.35, 0))],
)
@given(image=arrays(np.uint8, (5, 7, 3), elements=st.integers(0, 255)))
def test_grayscale_is_the_weighted_sum_of_the_channels(wrapper, weights, image) -> None:
    env = wrapper(ImageEnv(image))
    gray, _ = env.reset()
    assert gray in env.observation_space
    expected = image @ np.array(weights)
    np.testing.assert_allclose(gray, expected, atol=0.51)


def test_the_orange_filter_separates_mario_from_the_sky() -> None:
    sky, *mario = (104, 136, 252), (248, 56, 0), (172, 124, 0), (252, 160, 68)

    def contrast(wrapper) -> float:
        """Difference between the mean of Mario's colors and the sky."""
        (gray,), _ = wrapper(ImageEnv(np.array([[sky, *mario]], np.uint8))).reset()
        return abs(gray[1:].mean() - gray[0])

    assert contrast(GrayScaleObservation) < 5
    assert contrast(OrangeObservation) > 60


@pytest.mark.parametrize(
    ("image", "description"),
    [
        (np.zeros((4, 4), np.uint8), r"uint8 \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), r"uint8 \(4, 4, 4\)"),
        (np.zeros((4, 4, 3), np.float32), r"float32 \(4, 4, 3\)"),
    ],
)
def test_observations_that_are_not_rgb_images_are_rejected(image, description: str) -> None:
    with pytest.raises(ValueError, match=f"needs uint8 observations .*, got {description}"):
        GrayScaleObservation(ImageEnv(image))


class TestCropTop:
    def test_the_remaining_rows_are_unchanged(self) -> None:
        image = np.arange(12, dtype=np.uint8).reshape(4, 3)
        env = CropTop(ImageEnv(image), 1)
        cropped, _ = env.reset()
        assert cropped in env.observation_space
        np.testing.assert_array_equal(cropped, image[1:])

    @pytest.mark.parametrize("rows", [-1, 4])
    def test_at_least_one_row_must_remain(self, rows: int) -> None:
        with pytest.raises(ValueError, match=f"crop_top must be between 0 and 3, got {rows}"):
            CropTop(ImageEnv(np.zeros((4, 3), np.uint8)), rows)


class TestShowAction:
    def make_env(self, num_actions: int, width: int = 84) -> ShowAction:
        env = ImageEnv(np.full((20, width), 100, np.uint8))
        env.action_space = gym.spaces.Discrete(num_actions)
        env.step = lambda action: (env.image, 0.0, False, False, {})
        return ShowAction(env)

    def test_the_marker_of_the_action_is_white_and_the_others_are_black(self) -> None:
        env = self.make_env(num_actions=3)
        env.reset()
        image, *_ = env.step(1)
        assert (image[:6, :6] == 0).all()
        assert (image[:6, 6:12] == 255).all()
        assert (image[:6, 12:18] == 0).all()

    def test_the_rest_of_the_image_and_the_original_image_are_unchanged(self) -> None:
        env = self.make_env(num_actions=3)
        env.reset()
        image, *_ = env.step(2)
        assert (image[6:] == 100).all()
        assert (image[:6, 18:] == 100).all()
        assert (env.unwrapped.image == 100).all()

    def test_all_markers_are_black_at_the_start_of_an_episode(self) -> None:
        env = self.make_env(num_actions=3)
        env.reset()
        env.step(2)
        assert (env.reset()[0][:6, :18] == 0).all()

    @given(st.integers(1, 240), st.integers(1, 120))
    def test_markers_fit_or_are_rejected(self, width: int, num_actions: int) -> None:
        if width // num_actions < 2:
            message = f"{num_actions} action markers do not fit in {width} pixels"
            with pytest.raises(ValueError, match=message):
                marker_size(width, num_actions)
        else:
            assert 2 <= marker_size(width, num_actions) <= min(6, width / num_actions)
