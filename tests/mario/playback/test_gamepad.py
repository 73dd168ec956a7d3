"""The drawn pad shows which buttons are held down."""

from __future__ import annotations

import numpy as np
import pytest

from mario.games.actions import BUTTONS, action_masks
from mario.playback.gamepad import draw_gamepad

LIT = (255, 204, 51)


def lit(buttons):
    """Where the pad is lit, bool ``(height, width)``."""
    return (np.asarray(draw_gamepad(buttons, 460))[..., :3] == LIT).all(axis=-1)


def test_at_rest_nothing_is_lit():
    assert not lit(0).any()


@pytest.mark.parametrize("button", BUTTONS)
def test_every_button_lights_a_place_of_its_own(button):
    mine = lit(BUTTONS[button])
    others = lit(255 - BUTTONS[button])
    assert mine.sum() > 100
    assert not (mine & others).any()


def test_buttons_lie_where_they_do_on_a_pad():
    def centre(button):
        rows, columns = np.nonzero(lit(BUTTONS[button]))
        return rows.mean(), columns.mean()

    order = ["left", "right", "select", "start", "B", "A"]
    assert sorted(order, key=lambda button: centre(button)[1]) == order
    assert centre("up")[0] < centre("left")[0] < centre("down")[0]


def test_buttons_held_together_are_lit_together():
    (run_and_jump,) = action_masks([["right", "A", "B"]])
    each = [lit(BUTTONS[button]) for button in ("right", "A", "B")]
    assert (lit(run_and_jump) == np.logical_or.reduce(each)).all()


def test_around_the_pad_one_sees_what_lies_behind():
    corner = draw_gamepad(0, 230).getpixel((0, 0))
    assert corner[3] < 64
    assert draw_gamepad(0, 230).getpixel((115, 2))[3] == 255
