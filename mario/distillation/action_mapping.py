"""Maps actions between two action sets by the buttons that they press."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mario.errors import UsageError
from mario.games.actions import action_name


def same_actions(masks: Sequence[int], among: Sequence[int]) -> NDArray[np.int64]:
    """Return the index of each action in another action set that has it as well.

    Args:
        masks: the buttons of each action, see `mario.games.actions.BUTTONS`.
        among: the buttons of each action of the other set.

    Raises:
        UsageError: the other set lacks an action.

    >>> same_actions([128, 0], among=[0, 64, 128])
    array([2, 0])
    """
    missing = [action_name(mask) for mask in masks if mask not in among]
    if missing:
        raise UsageError(
            f"a teacher presses {missing[0]}, which is not among the actions of this run; give "
            "more with --actions"
        )
    return np.array([among.index(mask) for mask in masks])


def nearest_actions(masks: Sequence[int], among: Sequence[int]) -> NDArray[np.int64]:
    """Return the index of the action of another set that is most like each action.

    It differs in the fewest buttons. Among equals it has the most buttons in common.

    Args:
        masks: the buttons of each action, see `mario.games.actions.BUTTONS`.
        among: the buttons of each action of the other set.

    >>> nearest_actions([64, 1], among=[0, 128, 129])  # left is nothing, A is right and A
    array([0, 2])
    """

    def difference(mask: int, other: int) -> tuple[int, int]:
        """Return how many buttons differ, and minus how many are common."""
        return (mask ^ other).bit_count(), -(mask & other).bit_count()

    return np.array([
        min(range(len(among)), key=lambda index: difference(mask, among[index])) for mask in masks
    ])  # fmt: skip
