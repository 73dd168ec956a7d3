"""Action sets: which buttons each action holds down."""

from __future__ import annotations

from collections.abc import Sequence

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
"""The bit of each button, as `mario.emulators.Emulator.advance` takes them."""

_SPOKEN = (*list(BUTTONS)[:-2], "A", "B")
"""The buttons in the order in which people name them."""

NOOP = "NOOP"

TUTORIAL = (("right",), ("right", "A"))
"""The two actions of the PyTorch tutorial: walk right, jump right."""

RIGHT_ONLY = ((NOOP,), ("right",), ("right", "A"), ("right", "B"), ("right", "A", "B"))
"""Walk, jump and run to the right: the literature's RIGHT_ONLY."""

SIMPLE = (*RIGHT_ONLY, ("A",), ("left",))
"""The literature's SIMPLE_MOVEMENT."""

COMPLEX = (*SIMPLE, ("left", "A"), ("left", "B"), ("left", "A", "B"), ("down",), ("up",))
"""The literature's COMPLEX_MOVEMENT."""

ACTION_SETS: dict[str, Sequence[Sequence[str]]] = {
    "tutorial": TUTORIAL,
    "right-only": RIGHT_ONLY,
    "simple": SIMPLE,
    "complex": COMPLEX,
}

ALL_BUTTONS = "buttons"
"""Name of the set in which an action is itself a mask of buttons, 0 to 255."""

Actions = str | Sequence[Sequence[str]]


def action_masks(actions: Actions) -> tuple[int, ...]:
    """The buttons that each action of a set holds down.

    Args:
        actions: the name of a set, or for each action the names of its buttons; none of them, or
            ``"NOOP"``, is the action that holds down nothing.

    Returns:
        For each action its mask, see `BUTTONS`.

    Raises:
        UsageError: there is no such set or button, or the set is empty.

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
        if not actions:
            raise UsageError(f"an action set needs at least one action, got {actions!r}")
        return tuple(_mask(action) for action in actions)
    if actions == ALL_BUTTONS:
        return tuple(range(256))
    if actions not in ACTION_SETS:
        raise unknown("action set", actions, (*ACTION_SETS, ALL_BUTTONS))
    return action_masks(ACTION_SETS[actions])


def action_name(mask: int) -> str:
    """What people call an action.

    Args:
        mask: its buttons, see `BUTTONS`.

    >>> action_name(131), action_name(0)
    ('right+A+B', 'NOOP')
    """
    return "+".join(name for name in _SPOKEN if mask & BUTTONS[name]) or NOOP


def buttons_of(name: str) -> int | None:
    """The mask of an action by what people call it; None if those are not buttons of a pad.

    Args:
        name: as `action_name` gives it.

    >>> buttons_of("right+A+B"), buttons_of("NOOP"), buttons_of("fire")
    (131, 0, None)
    """
    try:
        return _mask(name.split("+"))
    except UsageError:
        return None


def _mask(action: Sequence[str]) -> int:
    if isinstance(action, str) or not isinstance(action, Sequence):
        raise UsageError(f"an action is a list of buttons, got {action!r}; write [{action!r}]")
    mask = 0
    for name in action:
        if name != NOOP and name not in BUTTONS:
            raise unknown("button", str(name), (*BUTTONS, NOOP))
        mask |= BUTTONS.get(name, 0)
    return mask
