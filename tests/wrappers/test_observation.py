"""Gray pictures."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wrappers import GrayScaleObservation, OrangeObservation
from wrappers.observation import CropTop, ShowAction, square_side


class Picture(gym.Env):
    """Shows one picture for ever."""

    action_space = gym.spaces.Discrete(1)

    def __init__(self, picture) -> None:
        self.picture = np.asarray(picture)
        high = 255 if self.picture.dtype == np.uint8 else 1
        self.observation_space = gym.spaces.Box(0, high, self.picture.shape, self.picture.dtype)

    def reset(self, *, seed=None, options=None):
        return self.picture, {}


@pytest.mark.parametrize(
    ("kind", "shares"),
    [(GrayScaleObservation, (0.299, 0.587, 0.114)), (OrangeObservation, (0.65, 0.35, 0))],
)
@given(picture=arrays(np.uint8, (5, 7, 3), elements=st.integers(0, 255)))
def test_gray_is_the_weighted_mean_of_the_colors(kind, shares, picture) -> None:
    env = kind(Picture(picture))
    gray, _ = env.reset()
    assert gray in env.observation_space
    expected = picture @ np.array(shares)
    np.testing.assert_allclose(gray, expected, atol=0.51)


def test_mario_is_told_from_the_sky_through_an_orange_filter() -> None:
    sky, *mario = (104, 136, 252), (248, 56, 0), (172, 124, 0), (252, 160, 68)

    def contrast(kind) -> float:
        """How far the mean of what Mario consists of is from the sky."""
        (seen,), _ = kind(Picture(np.array([[sky, *mario]], np.uint8))).reset()
        return abs(seen[1:].mean() - seen[0])

    assert contrast(GrayScaleObservation) < 5
    assert contrast(OrangeObservation) > 60


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


class TestCropTop:
    def test_the_rows_below_are_as_they_were(self) -> None:
        picture = np.arange(12, dtype=np.uint8).reshape(4, 3)
        env = CropTop(Picture(picture), 1)
        seen, _ = env.reset()
        assert seen in env.observation_space
        np.testing.assert_array_equal(seen, picture[1:])

    @pytest.mark.parametrize("rows", [-1, 4])
    def test_a_row_must_be_left(self, rows: int) -> None:
        with pytest.raises(ValueError, match=f"crop must be in 0 to 3 for this game, got {rows}"):
            CropTop(Picture(np.zeros((4, 3), np.uint8)), rows)


class TestShowAction:
    def show(self, actions: int, width: int = 84) -> ShowAction:
        game = Picture(np.full((20, width), 100, np.uint8))
        game.action_space = gym.spaces.Discrete(actions)
        game.step = lambda action: (game.picture, 0.0, False, False, {})
        return ShowAction(game)

    def test_the_square_of_the_action_is_white_and_the_others_are_black(self) -> None:
        env = self.show(actions=3)
        env.reset()
        picture, *_ = env.step(1)
        assert (picture[:6, :6] == 0).all()
        assert (picture[:6, 6:12] == 255).all()
        assert (picture[:6, 12:18] == 0).all()

    def test_the_rest_is_as_it_was_and_so_is_the_games_own_picture(self) -> None:
        env = self.show(actions=3)
        env.reset()
        picture, *_ = env.step(2)
        assert (picture[6:] == 100).all()
        assert (picture[:6, 18:] == 100).all()
        assert (env.unwrapped.picture == 100).all()

    def test_nothing_was_done_before_an_episode(self) -> None:
        env = self.show(actions=3)
        env.reset()
        env.step(2)
        assert (env.reset()[0][:6, :18] == 0).all()

    @given(st.integers(1, 240), st.integers(1, 120))
    def test_all_squares_fit_or_are_refused(self, width: int, count: int) -> None:
        if width // count < 2:
            with pytest.raises(ValueError, match=f"{count} actions cannot be shown in {width} pix"):
                square_side(width, count)
        else:
            assert 2 <= square_side(width, count) <= min(6, width / count)
