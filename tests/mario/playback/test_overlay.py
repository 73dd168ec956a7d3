"""Game and panel side by side."""

from __future__ import annotations

import numpy as np
import pytest

from mario.playback.overlay import Overlay
from mario.playback.watch import WatchedStep


def step(action=0):
    return WatchedStep(
        state=np.full((4, 84, 84), 255, np.uint8), action=action, names=("NOOP", "A"),
        action_values=None, action_values_name="", reward=0.0, decision=1, info={},
    )  # fmt: skip


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(0, 256, (240, 256, 3), np.uint8)


def test_the_game_is_enlarged_pixel_by_pixel_at_the_left(frame):
    whole = Overlay(scale=2).compose(frame)
    assert (whole[:, :512] == frame.repeat(2, axis=0).repeat(2, axis=1)).all()
    assert whole.dtype == np.uint8


def test_the_panel_stays_until_the_next_decision(frame):
    overlay = Overlay(scale=3)
    panels = [overlay.compose(frame)[:, 768:]]
    for action in (0, 1):
        overlay.follow(step(action))
        panels += [overlay.compose(frame)[:, 768:], overlay.compose(255 - frame)[:, 768:]]
    blank, first, still_first, second, still_second = panels
    assert (first == still_first).all()
    assert (second == still_second).all()
    assert (blank != first).any()
    assert (first != second).any()


@pytest.mark.parametrize("height", [100, 210, 300])
def test_a_game_of_another_height_is_shown_whole(height):
    whole = Overlay(scale=2).compose(np.full((height, 160, 3), 200, np.uint8))
    assert len(whole) == max(2 * height, 480)
    assert (whole[:, :320] == 200).all(axis=-1).sum() == 2 * height * 320
