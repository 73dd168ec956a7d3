"""Action sets: the buttons that each discrete action presses."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from mario.errors import UsageError, unknown

BUTTONS = {
    "right": 128,
    "left": 64,
    "down": 32,
    "up": 16,
    "start": 8,
    "select": 4,
    "B": 2,
    "A": 1,
}
"""Bit of each button in the masks that `mario.emulators.Emulator.advance` accepts."""

_NAME_ORDER = (*list(BUTTONS)[:-2], "A", "B")
"""Order of the buttons in the names of actions."""

NOOP = "NOOP"

TUTORIAL = (("right",), ("right", "A"))
"""The two actions of the PyTorch tutorial: walk right and jump right."""

RIGHT_ONLY = ((NOOP,), ("right",), ("right", "A"), ("right", "B"), ("right", "A", "B"))
"""RIGHT_ONLY of gym-super-mario-bros."""

SIMPLE = (*RIGHT_ONLY, ("A",), ("left",))
"""SIMPLE_MOVEMENT of gym-super-mario-bros."""

COMPLEX = (*SIMPLE, ("left", "A"), ("left", "B"), ("left", "A", "B"), ("down",), ("up",))
"""COMPLEX_MOVEMENT of gym-super-mario-bros."""

ACTION_SETS: dict[str, Sequence[Sequence[str]]] = {
    "tutorial": TUTORIAL,
    "right-only": RIGHT_ONLY,
    "simple": SIMPLE,
    "complex": COMPLEX,
}

ALL_BUTTONS = "buttons"
"""Name of the action set with all 256 button masks; the action is the mask."""

ActionSet = str | Sequence[Sequence[str]]
"""The name of an action set, or a list of buttons for each action."""


def parse_actions(actions: ActionSet | None) -> ActionSet | None:
    """Return an action set, parsed if it is text that lists buttons.

    Args:
        actions: A command-line argument, which is a name or lists of buttons as JSON. Anything that
            is not text is returned as it is.

    Raises:
        UsageError: The lists cannot be parsed.

    >>> parse_actions('[["right"], ["right", "A"]]')
    [['right'], ['right', 'A']]
    """
    if not isinstance(actions, str) or not actions.lstrip().startswith("["):
        return actions
    try:
        lists: ActionSet = yaml.safe_load(actions)
    except yaml.YAMLError:
        raise UsageError(
            f'--actions {actions} cannot be parsed; write it like [["right"], ["right", "A"]]'
        ) from None
    return lists


def action_masks(actions: ActionSet) -> tuple[int, ...]:
    """Return the button mask of each action in a set.

    Args:
        actions: The name of an action set, or the buttons of each action. An empty list or
            ``["NOOP"]`` is the action that presses nothing.

    Returns:
        One mask per action, see `BUTTONS`.

    Raises:
        UsageError: The action set or a button is unknown, or the set is empty.

    >>> action_masks("tutorial")
    (128, 129)
    >>> action_masks([["NOOP"], ["right", "B"]])
    (0, 130)
    >>> action_masks("rightonly")
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: unknown action set 'rightonly'; did you mean 'right-only'?
    """
    if not isinstance(actions, str):
        return tuple(_mask(buttons) for buttons in button_lists(actions))
    if actions == ALL_BUTTONS:
        return tuple(range(256))
    if actions not in ACTION_SETS:
        raise unknown("action set", actions, (*ACTION_SETS, ALL_BUTTONS))
    return action_masks(ACTION_SETS[actions])


def button_lists(actions: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """Return an action set that is given as lists of buttons, after checking its form.

    Args:
        actions: The buttons of each action.

    Raises:
        UsageError: It is empty, or an action is not a list.

    >>> button_lists([1])
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: an action is a list of buttons, got 1; write [1]
    """
    if not actions:
        raise UsageError(f"an action set needs at least one action, got {actions!r}")
    for action in actions:
        if isinstance(action, str) or not isinstance(action, Sequence):
            raise UsageError(f"an action is a list of buttons, got {action!r}; write [{action!r}]")
    return actions


def action_name(mask: int) -> str:
    """Return the name of an action.

    Args:
        mask: Button mask, see `BUTTONS`.

    >>> action_name(131), action_name(0)
    ('right+A+B', 'NOOP')
    """
    return "+".join(name for name in _NAME_ORDER if mask & BUTTONS[name]) or NOOP


def buttons_of(name: str) -> int | None:
    """Return the button mask of a named action, or None if it does not name NES buttons.

    Args:
        name: A name as returned by `action_name`.

    >>> buttons_of("right+A+B"), buttons_of("NOOP"), buttons_of("fire")
    (131, 0, None)
    """
    try:
        return _mask(name.split("+"))
    except UsageError:
        return None


def _mask(buttons: Sequence[str]) -> int:
    mask = 0
    for name in buttons:
        if name != NOOP and name not in BUTTONS:
            raise unknown("button", str(name), (*BUTTONS, NOOP))
        mask |= BUTTONS.get(name, 0)
    return mask
