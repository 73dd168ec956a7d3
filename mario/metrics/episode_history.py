"""The episodes of a run so far, and statistics of the latest ones."""

from __future__ import annotations

import math
from array import array
from collections import Counter, deque
from collections.abc import Sequence

from mario.metrics.episode_rows import TUTORIAL_METRICS, EpisodeRow

FLAG = "flag"
"""The `ending` of an episode that cleared its level."""


class EpisodeHistory:
    """The numbers of every finished episode, and statistics of the latest ones.

    Args:
        window: number of latest episodes that a mean or a rate covers.
        metrics: names of the training metrics.

    Attributes:
        columns: reward, length and each metric of learning: one number per episode. Metrics are
            NaN in episodes before the first update.
        best_x: the farthest x position of any episode, None in a game that has none.
        last: the last episode.
    """

    def __init__(self, window: int, metrics: Sequence[str] = TUTORIAL_METRICS) -> None:
        self.columns = {name: array("d") for name in ("reward", "length", *metrics)}
        self.best_x: float | None = None
        self.last: EpisodeRow | None = None
        self._window = window
        self._latest_endings: deque[str] = deque(maxlen=window)
        self._known_endings: set[str] = set()

    def add(self, row: EpisodeRow) -> None:
        """Add a finished episode."""
        numbers = {"reward": row.reward, "length": row.length} | row.metrics
        for name, column in self.columns.items():
            column.append(numbers[name])
        if row.best_x is not None:
            self.best_x = max(row.best_x, self.best_x or 0.0)
        self.last = row
        if not row.start_offset:
            self._latest_endings.append(row.ending)
            self._known_endings.add(row.ending)

    def means(self) -> dict[str, float]:
        """Return the mean of each column over the latest episodes; 0 if there is no number."""
        return {name: _mean(column[-self._window :]) for name, column in self.columns.items()}

    def ending_rates(self) -> dict[str, float]:
        """Return how often the latest episodes from the game's start had each ending, 0 to 1.

        An ending that occurred only in earlier episodes has rate 0.
        """
        counts, total = Counter(self._latest_endings), len(self._latest_endings)
        return {ending: counts[ending] / total for ending in sorted(self._known_endings)}

    @property
    def clear_rate(self) -> float:
        """Rate of the latest episodes from the game's start that cleared their level."""
        return self.ending_rates().get(FLAG, 0.0)


def _mean(column: Sequence[float]) -> float:
    """Return the mean of the numbers that are not NaN, 0 if there are none."""
    numbers = [number for number in column if not math.isnan(number)]
    return math.fsum(numbers) / max(len(numbers), 1)
