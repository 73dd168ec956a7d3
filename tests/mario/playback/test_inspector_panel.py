"""The inspector panel shows the score, the observation, action values and the controller."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mario.playback.inspector_panel import (
    BACKGROUND,
    BARS_LEFT,
    BARS_RIGHT,
    BARS_TOP,
    GAMEPAD_TOP,
    HEIGHT,
    MAX_ROWS,
    STATE_TOP,
    WIDTH,
    InspectorPanel,
    displayed_actions,
)
from mario.playback.watch import PlaybackStep

GOLD, BLUE = (255, 204, 51), (68, 119, 187)
NAMES = ("NOOP", "right", "right+A")


def step(**changes):
    base = {
        "state": np.zeros((4, 84, 84), np.uint8), "action": 1, "action_names": NAMES,
        "action_values": np.array([1.0, 3.0, 2.0], np.float32), "action_values_name": "value",
        "episode_return": 12.0, "step": 3, "info": {"world": 1, "stage": 2},
    }  # fmt: skip
    return PlaybackStep(**(base | changes))


def draw(*steps):
    """Return the panel after some steps, with one pixel per unit."""
    panel = InspectorPanel(scale=3)
    for shown in steps:
        panel.draw(shown)
    return panel.pixels


def bar_lengths(pixels, color):
    """Return the length of each bar of a color, in pixels, from top to bottom."""
    area = pixels[BARS_TOP:GAMEPAD_TOP, BARS_LEFT:BARS_RIGHT]
    widths = (area == color).all(axis=-1).sum(axis=1)
    starts = np.flatnonzero((widths > 0) & (np.roll(widths, 1) == 0))
    return widths[starts].tolist()


def test_the_panel_is_as_high_as_the_game():
    assert draw(step()).shape == (HEIGHT, WIDTH, 3) == (720, 512, 3)
    assert InspectorPanel(scale=2).pixels.shape == (480, 341, 3)


def test_the_panel_is_empty_before_the_first_step():
    assert (InspectorPanel(scale=2).pixels == tuple(bytes.fromhex(BACKGROUND[1:]))).all()


def test_the_highest_bar_is_full_the_lowest_is_short_and_the_chosen_one_is_gold():
    pixels = draw(step())
    full = BARS_RIGHT - BARS_LEFT
    assert bar_lengths(pixels, GOLD) == [full]
    lowest, middle = bar_lengths(pixels, BLUE)
    assert lowest < full / 10
    assert middle == pytest.approx(full / 2, abs=1)


def test_a_random_action_is_gold_although_others_have_higher_values():
    pixels = draw(step(action=2))
    assert bar_lengths(pixels, GOLD)[0] < max(bar_lengths(pixels, BLUE))


def test_bars_are_scaled_to_the_values_of_the_latest_steps():
    high = step(action_values=np.array([10.0, 30.0, 20.0], np.float32))
    assert max(bar_lengths(draw(high, step()), GOLD)) < 30
    assert max(bar_lengths(draw(high, *[step()] * 60), GOLD)) == BARS_RIGHT - BARS_LEFT


def test_an_agent_without_action_values_has_a_gamepad_but_no_bars():
    pixels = draw(step(action_values=None))
    background = tuple(bytes.fromhex(BACKGROUND[1:]))
    assert (pixels[BARS_TOP : GAMEPAD_TOP - 10] == background).all()
    assert (pixels[GAMEPAD_TOP:] != background).any()


@pytest.mark.parametrize("names", [("0", "1", "2"), ("FIRE", "NOOP", "RIGHT")])
def test_a_game_with_other_buttons_has_no_gamepad(names):
    pixels = draw(step(action_names=names))
    assert (pixels[GAMEPAD_TOP:] == tuple(bytes.fromhex(BACKGROUND[1:]))).all()


def test_a_chosen_action_without_a_value_is_shown_without_a_bar():
    values = np.array([1.0, np.nan, 2.0], np.float32)
    assert bar_lengths(draw(step(action_values=values)), GOLD) == []
    assert len(bar_lengths(draw(step(action_values=values, action=2)), BLUE)) == 1


@pytest.mark.parametrize("stack", [1, 4, 8])
def test_all_stacked_frames_are_shown_from_left_to_right(stack):
    brightness = np.linspace(85, 255, stack).astype(np.uint8) // 17 * 17
    state = np.broadcast_to(brightness[:, None, None], (stack, 84, 84)).copy()
    row = draw(step(state=state))[STATE_TOP + 40]
    gray = row[(row[:, 0] == row[:, 1]) & (row[:, 1] == row[:, 2])][:, 0]
    shown = [int(gray[0]), *(int(b) for a, b in pairwise(gray) if a != b)]
    assert shown == brightness.tolist()


@pytest.mark.parametrize("info", [{}, {"world": 8, "stage": 4}])
def test_the_header_shows_the_return_with_and_without_levels(info):
    one = draw(step(info=info))[: STATE_TOP - 10]
    other = draw(step(info=info, episode_return=-1234.0))[: STATE_TOP - 10]
    assert (one != other).any()


def test_the_panel_uses_few_enough_colors_for_a_gif():
    rng = np.random.default_rng(0)
    state = rng.integers(0, 256, (4, 84, 84), dtype=np.uint8)
    colors = np.unique(draw(step(state=state)).reshape(-1, 3), axis=0)
    assert len(colors) < 150


@given(arrays(np.float32, st.integers(1, 300), elements=st.floats(-9, 9, width=32)), st.data())
def test_the_rows_are_the_actions_with_the_highest_values_and_the_chosen_one(action_values, data):
    action = data.draw(st.integers(0, len(action_values) - 1))
    rows = displayed_actions(action_values, action)
    assert len(rows) == min(MAX_ROWS, len(action_values))
    assert rows == sorted(set(rows))
    assert action in rows
    hidden = np.delete(action_values, rows)
    others = [row for row in rows if row != action]
    assert not hidden.size or not others or action_values[others].min() >= hidden.max()
