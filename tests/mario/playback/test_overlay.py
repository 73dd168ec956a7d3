"""The overlay shows the game and the panel side by side."""

from __future__ import annotations

import numpy as np
import pytest

from mario.playback.overlay import Overlay
from mario.playback.watch import PlaybackStep


def step(action=0):
    return PlaybackStep(
        state=np.full((4, 84, 84), 255, np.uint8), action=action,
        action_names=("NOOP", "A"), action_values=None, action_values_name="", episode_return=0.0,
        step=1, info={},
    )  # fmt: skip


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(0, 256, (240, 256, 3), np.uint8)


def test_the_enlarged_game_is_on_the_left(frame):
    whole = Overlay(scale=2).compose(frame)
    assert (whole[:, :512] == frame.repeat(2, axis=0).repeat(2, axis=1)).all()
    assert whole.dtype == np.uint8


def test_the_panel_stays_until_the_next_step(frame):
    overlay = Overlay(scale=3)
    panels = [overlay.compose(frame)[:, 768:]]
    for action in (0, 1):
        overlay.update(step(action))
        panels += [overlay.compose(frame)[:, 768:], overlay.compose(255 - frame)[:, 768:]]
    blank, first, first_again, second, second_again = panels
    assert (first == first_again).all()
    assert (second == second_again).all()
    assert (blank != first).any()
    assert (first != second).any()


@pytest.mark.parametrize("height", [100, 210, 300])
def test_games_of_any_height_are_shown_completely(height):
    whole = Overlay(scale=2).compose(np.full((height, 160, 3), 200, np.uint8))
    assert len(whole) == max(2 * height, 480)
    assert (whole[:, :320] == 200).all(axis=-1).sum() == 2 * height * 320
