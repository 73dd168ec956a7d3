"""A tree of sums: finds where a running total of many numbers passes a mark, as they change."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]

FAN = 32
"""How many numbers are added up into one of the level above: a tree of pairs has five times as many
levels, each of which costs several calls."""


class SumTree:
    """Numbers of at least 0, and their sums in groups, groups of groups and so on.

    Schaul et al. 2015, https://arxiv.org/abs/1511.05952, appendix B.2.1, with wider groups. A sum
    is always made anew of what it is the sum of: it never drifts, and a tree depends on nothing but
    its leaves, to the last bit.

    Args:
        size: how many numbers there are, all 0 at first.

    Raises:
        ValueError: there are none.

    >>> tree = SumTree(5)
    >>> tree.update(np.array([1, 4]), np.array([2.0, 1.0]))
    >>> tree.total, tree.find(np.array([0.0, 1.9, 2.0]))
    (3.0, array([1, 1, 4]))
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"size is {size}; give 1 or more")
        self._size = size
        self._levels: list[Floats] = []
        groups = size
        while not self._levels or groups > 1:
            groups = -(-groups // FAN)
            self._levels.append(np.zeros((groups, FAN)))

    @property
    def total(self) -> float:
        """The sum of all numbers."""
        return float(self._levels[-1].sum())

    @property
    def leaves(self) -> Floats:
        """A copy of the numbers, float64 ``(size,)``."""
        return self._levels[0].reshape(-1)[: self._size].copy()

    def take(self, places: Indices) -> Floats:
        """The numbers at places, int64 ``(n,)``."""
        return self._levels[0].reshape(-1)[places]

    def fill(self, leaves: Floats) -> None:
        """Set all numbers, float64 ``(size,)``."""
        self._levels[0].reshape(-1)[: self._size] = leaves
        for below, level in pairwise(self._levels):
            level.reshape(-1)[: len(below)] = below.sum(axis=1)

    def update(self, places: Indices, values: Floats) -> None:
        """Set the numbers at places, both ``(n,)``; where a place comes twice, the last counts."""
        self._levels[0].reshape(-1)[places] = values
        for below, level in pairwise(self._levels):
            places = places // FAN
            level.reshape(-1)[places] = below[places].sum(axis=1)

    def find(self, marks: Floats) -> Indices:
        """Where the running total passes marks, which never is at a 0.

        Args:
            marks: float64 ``(n,)``, from 0 to below `total`, which is not 0.

        Returns:
            The first places up to which, and with which, the sum is above the mark, int64 ``(n,)``.
        """
        rows, places = np.arange(len(marks)), np.zeros(len(marks), np.int64)
        for level in reversed(self._levels):
            sums = level[places].cumsum(axis=1)
            # the sum of a group, made in another order, may be a rounding away from its last
            marks = np.minimum(marks, np.nextafter(sums[:, -1], 0))
            children = np.count_nonzero(sums <= marks[:, None], axis=1)
            marks = marks - np.where(children > 0, sums[rows, children - 1], 0)
            places = places * FAN + children
        return places
