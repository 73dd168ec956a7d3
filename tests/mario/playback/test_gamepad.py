"""The drawn controller highlights the pressed buttons."""

from __future__ import annotations

import numpy as np
import pytest

from mario.games.actions import BUTTONS, action_masks
from mario.playback.gamepad import draw_gamepad

PRESSED_COLOR = (255, 204, 51)


def highlighted(buttons):
    """Return a mask of the highlighted pixels, bool ``(height, width)``."""
    return (np.asarray(draw_gamepad(buttons, 460))[..., :3] == PRESSED_COLOR).all(axis=-1)


def test_released_buttons_are_not_highlighted():
    assert not highlighted(0).any()


@pytest.mark.parametrize("button", BUTTONS)
def test_each_button_highlights_its_own_area(button):
    area = highlighted(BUTTONS[button])
    other_areas = highlighted(255 - BUTTONS[button])
    assert area.sum() > 100
    assert not (area & other_areas).any()


def test_buttons_are_arranged_as_on_the_real_controller():
    def center(button):
        rows, columns = np.nonzero(highlighted(BUTTONS[button]))
        return rows.mean(), columns.mean()

    order = ["left", "right", "select", "start", "B", "A"]
    assert sorted(order, key=lambda button: center(button)[1]) == order
    assert center("up")[0] < center("left")[0] < center("down")[0]


def test_buttons_pressed_together_are_highlighted_together():
    (run_and_jump,) = action_masks([["right", "A", "B"]])
    areas = [highlighted(BUTTONS[button]) for button in ("right", "A", "B")]
    assert (highlighted(run_and_jump) == np.logical_or.reduce(areas)).all()


def test_the_picture_is_transparent_around_the_controller():
    corner = draw_gamepad(0, 230).getpixel((0, 0))
    assert corner[3] < 64
    assert draw_gamepad(0, 230).getpixel((115, 2))[3] == 255
