"""Tests of action sets, button masks and action names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mario.errors import UsageError
from mario.games.actions import (
    ACTION_SETS,
    BUTTONS,
    action_masks,
    action_name,
    buttons_of,
    parse_actions,
)

button_lists = st.lists(st.sampled_from(list(BUTTONS)), max_size=8)


@pytest.mark.parametrize(
    ("name", "masks"),
    [
        ("tutorial", (128, 129)),
        ("right-only", (0, 128, 129, 130, 131)),
        ("simple", (0, 128, 129, 130, 131, 1, 64)),
        ("complex", (0, 128, 129, 130, 131, 1, 64, 65, 66, 67, 32, 16)),
        ("buttons", tuple(range(256))),
    ],
)
def test_named_action_sets_press_these_buttons(name: str, masks: tuple[int, ...]) -> None:
    assert action_masks(name) == masks


@given(st.lists(button_lists, min_size=1, max_size=5))
def test_an_action_presses_each_named_button_once(actions) -> None:
    masks = action_masks(actions)
    for buttons, mask in zip(actions, masks, strict=True):
        assert {name for name, bit in BUTTONS.items() if mask & bit} == set(buttons)


@given(st.integers(0, 255))
def test_names_and_masks_convert_back_and_forth(mask: int) -> None:
    assert action_masks([action_name(mask).split("+")]) == (mask,)
    assert buttons_of(action_name(mask)) == mask


def test_opposite_buttons_and_duplicate_actions_are_allowed() -> None:
    assert action_masks([["left", "right"], [], ["NOOP"]]) == (192, 0, 0)


def test_action_names_list_directions_before_buttons() -> None:
    assert [action_name(mask) for mask in action_masks("right-only")] == [
        "NOOP",
        "right",
        "right+A",
        "right+B",
        "right+A+B",
    ]
    assert len(ACTION_SETS["complex"]) == 12


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ("tutoral", "unknown action set 'tutoral'; did you mean 'tutorial'"),
        ([["rigth"]], "unknown button 'rigth'; did you mean 'right'"),
        ([[1]], "unknown button '1'"),
        (["right"], r"an action is a list of buttons, got 'right'; write \['right'\]"),
        ([3], "an action is a list of buttons, got 3"),
        ([], r"an action set needs at least one action, got \[\]"),
    ],
)
def test_invalid_action_sets_are_rejected(actions, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        action_masks(actions)


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        (None, None),
        ("simple", "simple"),
        ('[["right"], ["right", "A"]]', [["right"], ["right", "A"]]),
        (" [[], [A]]", [[], ["A"]]),
        ([["right"]], [["right"]]),
    ],
)
def test_an_action_set_is_a_name_or_lists_of_buttons(text, actions) -> None:
    assert parse_actions(text) == actions


def test_lists_that_cannot_be_parsed_are_answered_with_an_example() -> None:
    with pytest.raises(UsageError, match=r"actions \[\[right cannot be parsed; write it like"):
        parse_actions("[[right")
