"""Means of named scalars since any earlier moment."""

from __future__ import annotations

import math
from collections.abc import Mapping

Mark = dict[str, list[float]]
"""``[sum, count]`` of each scalar at one moment."""


class RunningMeans:
    """Sums and counts of named scalars, from which the mean since any earlier moment follows.

    >>> means = RunningMeans()
    >>> means.add({"loss": 9.0})
    >>> mark = means.mark()
    >>> means.add({"loss": 1.0, "q": 5.0})
    >>> means.add({"loss": 2.0})
    >>> means.means_since(mark)
    {'loss': 1.5, 'q': 5.0}
    """

    def __init__(self) -> None:
        self._totals: Mark = {}

    def add(self, scalars: Mapping[str, float]) -> None:
        """Add one value of each scalar; values that are not finite are skipped."""
        for name, scalar in scalars.items():
            value = float(scalar)
            if math.isfinite(value):  # a NaN in the sum would spoil every later mean
                total = self._totals.setdefault(name, [0.0, 0])
                total[0] += value
                total[1] += 1

    def mark(self) -> Mark:
        """Return the sums and counts of now, for `means_since` and `restore`."""
        return {name: list(total) for name, total in self._totals.items()}

    def means_since(self, mark: Mapping[str, list[float]]) -> dict[str, float]:
        """Return the means of the values since a mark; scalars without a value are absent."""
        means = {}
        for name, (total, count) in self._totals.items():
            total_before, count_before = mark.get(name, (0.0, 0))
            if count > count_before:
                means[name] = (total - total_before) / (count - count_before)
        return means

    def restore(self, mark: Mapping[str, list[float]]) -> None:
        """Return to a mark, as if nothing had been added since."""
        self._totals = {name: list(total) for name, total in mark.items()}
