"""The panel beside the game: figures, what is seen, bars and pad, each where one looks for it."""

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
    HEIGHT,
    MOST_ROWS,
    PAD_TOP,
    STATE_TOP,
    WIDTH,
    InspectorPanel,
    rows_of,
)
from mario.playback.watch import WatchedStep

GOLD, BLUE = (255, 204, 51), (68, 119, 187)
NAMES = ("NOOP", "right", "right+A")


def step(**changes):
    base = {
        "state": np.zeros((4, 84, 84), np.uint8), "action": 1, "names": NAMES,
        "action_values": np.array([1.0, 3.0, 2.0], np.float32), "action_values_name": "value",
        "reward": 12.0, "decision": 3, "info": {"world": 1, "stage": 2},
    }  # fmt: skip
    return WatchedStep(**(base | changes))


def drawn(*moments):
    """The panel after some decisions, at the size of its own units."""
    panel = InspectorPanel(scale=3)
    for each in moments:
        panel.draw(each)
    return panel.pixels


def lengths(pixels, colour):
    """Of each bar of a colour its length, in pixels from the top down."""
    room = pixels[BARS_TOP:PAD_TOP, BARS_LEFT:BARS_RIGHT]
    widths = (room == colour).all(axis=-1).sum(axis=1)
    starts = np.flatnonzero((widths > 0) & (np.roll(widths, 1) == 0))
    return widths[starts].tolist()


def test_the_panel_and_the_game_beside_it_are_as_high():
    assert drawn(step()).shape == (HEIGHT, WIDTH, 3) == (720, 512, 3)
    assert InspectorPanel(scale=2).pixels.shape == (480, 341, 3)


def test_before_the_first_decision_it_is_empty():
    assert (InspectorPanel(scale=2).pixels == tuple(bytes.fromhex(BACKGROUND[1:]))).all()


def test_the_best_bar_is_full_the_worst_a_stub_and_the_chosen_one_is_gold():
    pixels = drawn(step())
    full = BARS_RIGHT - BARS_LEFT
    assert lengths(pixels, GOLD) == [full]
    worst, middling = lengths(pixels, BLUE)
    assert worst < full / 10
    assert middling == pytest.approx(full / 2, abs=1)


def test_a_random_action_is_gold_too_though_others_are_preferred():
    pixels = drawn(step(action=2))
    assert lengths(pixels, GOLD)[0] < max(lengths(pixels, BLUE))


def test_bars_are_measured_by_the_latest_decisions_and_not_by_one_alone():
    high = step(action_values=np.array([10.0, 30.0, 20.0], np.float32))
    assert max(lengths(drawn(high, step()), GOLD)) < 30
    assert max(lengths(drawn(high, *[step()] * 60), GOLD)) == BARS_RIGHT - BARS_LEFT


def test_an_agent_without_preferences_has_no_bars_but_a_pad():
    pixels = drawn(step(action_values=None))
    ground = tuple(bytes.fromhex(BACKGROUND[1:]))
    assert (pixels[BARS_TOP : PAD_TOP - 10] == ground).all()
    assert (pixels[PAD_TOP:] != ground).any()


@pytest.mark.parametrize("names", [("0", "1", "2"), ("FIRE", "NOOP", "RIGHT")])
def test_a_game_of_other_buttons_has_no_pad(names):
    pixels = drawn(step(names=names))
    assert (pixels[PAD_TOP:] == tuple(bytes.fromhex(BACKGROUND[1:]))).all()


def test_an_action_that_the_agent_cannot_rate_is_shown_without_a_bar_when_it_is_done():
    rating = np.array([1.0, np.nan, 2.0], np.float32)
    assert lengths(drawn(step(action_values=rating)), GOLD) == []
    assert len(lengths(drawn(step(action_values=rating, action=2)), BLUE)) == 1


@pytest.mark.parametrize("stack", [1, 4, 8])
def test_all_that_is_seen_is_shown_from_left_to_right(stack):
    brightness = np.linspace(85, 255, stack).astype(np.uint8) // 17 * 17
    state = np.broadcast_to(brightness[:, None, None], (stack, 84, 84)).copy()
    row = drawn(step(state=state))[STATE_TOP + 40]
    gray = row[(row[:, 0] == row[:, 1]) & (row[:, 1] == row[:, 2])][:, 0]
    seen = [int(gray[0]), *(int(b) for a, b in pairwise(gray) if a != b)]
    assert seen == brightness.tolist()


@pytest.mark.parametrize("info", [{}, {"world": 8, "stage": 4}])
def test_figures_are_written_whether_the_game_has_levels_or_not(info):
    one = drawn(step(info=info))[: STATE_TOP - 10]
    other = drawn(step(info=info, reward=-1234.0))[: STATE_TOP - 10]
    assert (one != other).any()


def test_a_gif_has_room_for_its_colours():
    rng = np.random.default_rng(0)
    state = rng.integers(0, 256, (4, 84, 84), dtype=np.uint8)
    colours = np.unique(drawn(step(state=state)).reshape(-1, 3), axis=0)
    assert len(colours) < 150


@given(arrays(np.float32, st.integers(1, 300), elements=st.floats(-9, 9, width=32)), st.data())
def test_the_rows_are_the_preferred_actions_in_order_and_the_one_done(action_values, data):
    action = data.draw(st.integers(0, len(action_values) - 1))
    rows = rows_of(action_values, action)
    assert len(rows) == min(MOST_ROWS, len(action_values))
    assert rows == sorted(set(rows))
    assert action in rows
    left_out = np.delete(action_values, rows)
    others = [row for row in rows if row != action]
    assert not left_out.size or not others or action_values[others].min() >= left_out.max()
