from __future__ import annotations

import pytest

from mario.distillation.action_mapping import nearest_actions, same_actions
from mario.errors import UsageError
from mario.games.actions import action_masks, action_name

RIGHT_ONLY, COMPLEX = action_masks("right-only"), action_masks("complex")


def test_actions_are_found_by_their_buttons():
    shuffled = COMPLEX[::-1]
    found = same_actions(RIGHT_ONLY, shuffled)
    assert [shuffled[index] for index in found] == list(RIGHT_ONLY)


def test_an_action_that_the_other_set_lacks_is_named():
    with pytest.raises(UsageError, match=r"presses left\+A, which is not among"):
        same_actions(COMPLEX, (*RIGHT_ONLY, 64, 1))


def test_every_action_is_nearest_to_itself():
    assert (
        nearest_actions(RIGHT_ONLY, COMPLEX).tolist() == same_actions(RIGHT_ONLY, COMPLEX).tolist()
    )


def test_buttons_that_are_held_are_kept_by_the_nearest_action():
    nearest = nearest_actions(COMPLEX, RIGHT_ONLY)
    names = {
        action_name(mask): action_name(RIGHT_ONLY[index])
        for mask, index in zip(COMPLEX, nearest, strict=True)
    }
    assert names["A"] == names["left+A"] == "right+A"
    assert names["left+A+B"] == "right+A+B"
    assert names["left"] == names["down"] == names["up"] == "NOOP"
