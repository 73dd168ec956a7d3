"""What a run has seen so far, in the form that its log, its plots and its console line need."""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

FLAG = "flag"
"""The `ending` of an episode that cleared its level."""

REPORTS = ("loss", "q")
"""What the tutorial reported_metrics of learning, and so its log and its plots."""


@dataclass(frozen=True)
class EpisodeRow:
    """A row of ``metrics.csv``: a column for each attribute and each report, in this order.

    Attributes:
        episode: number of the episode in the run, from 1.
        step: decisions so far, over all games.
        game: which of the parallel games it was played in, from 0.
        reward: sum of the game's own rewards.
        length: decisions in the episode.
        reported_metrics: of learning, by name: means over the rounds during the episode.
        epsilon: share of actions that are random at its end.
        best_x: how far right it came, in pixels; None in a game without such a thing.
        ending: why it ended, ``"flag"`` when it cleared the level.
        seconds: since the run's start, the time between two sessions left out.
        start_offset: Agent steps replayed before the episode began, 0 for an episode from the start
            of the game, negative for one on the farthest trajectory.
    """

    episode: int
    step: int
    game: int
    reward: float
    length: int
    reported_metrics: dict[str, float]
    epsilon: float
    best_x: float | None
    ending: str
    seconds: float
    start_offset: int = 0

    def to_csv(self) -> str:
        """The row as text; floats keep every digit, so that `parse` gives the same row."""
        cells = vars(self) | self.reported_metrics
        values = [cells[name] for name in columns_of(tuple(self.reported_metrics))]
        return csv_line(["" if value is None else value for value in values])

    @classmethod
    def parse(cls, cells: Mapping[str, str], reported_metrics: Sequence[str] = REPORTS) -> Self:
        """Read a row back from its cells by column.

        Args:
            cells: the text of each, by column.
            reported_metrics: names of its reported_metrics.

        Raises:
            ValueError: a cell is missing or is not what its column holds.
        """
        try:
            return cls(
                episode=int(cells["episode"]),
                step=int(cells["step"]),
                game=int(cells["game"]),
                reward=float(cells["reward"]),
                length=int(cells["length"]),
                reported_metrics={name: float(cells[name]) for name in reported_metrics},
                epsilon=float(cells["epsilon"]),
                best_x=float(cells["best_x"]) if cells["best_x"] else None,
                ending=cells["ending"],
                seconds=float(cells["seconds"]),
                start_offset=int(cells.get("start_offset") or 0),  # not in the files of older runs
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"row {dict(cells)} lacks a cell") from error


def columns_of(reported_metrics: Sequence[str]) -> tuple[str, ...]:
    """The columns of a ``metrics.csv`` with these reported_metrics.

    >>> columns_of(["loss"])[3:7]
    ('reward', 'length', 'loss', 'epsilon')
    """
    names = [field.name for field in fields(EpisodeRow)]
    place = names.index("reported_metrics")
    return (*names[:place], *reported_metrics, *names[place + 1 :])


def csv_line(cells: list[object]) -> str:
    """One line of CSV, without its end.

    >>> csv_line([1, 2.5, 'a "b", c'])
    '1,2.5,"a ""b"", c"'
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def read_rows(text: str, reported_metrics: Sequence[str] = REPORTS) -> tuple[list[EpisodeRow], int]:
    """The rows in the text of a ``metrics.csv``, and how many damaged ones are left out."""
    rows, damaged = [], 0
    for cells in csv.DictReader(io.StringIO(text)):
        try:
            rows.append(EpisodeRow.parse(cells, reported_metrics))
        except ValueError:
            damaged += 1
    return rows, damaged


class RunningMeans:
    """Sums of named numbers, from which the mean over any stretch of them can be had.

    >>> running_means = RunningMeans()
    >>> running_means.add({"loss": 9.0})
    >>> mark = running_means.mark()
    >>> running_means.add({"loss": 1.0, "q": 5.0})
    >>> running_means.add({"loss": 2.0})
    >>> running_means.means_since(mark)
    {'loss': 1.5, 'q': 5.0}
    """

    def __init__(self) -> None:
        self._totals: dict[str, list[float]] = {}

    def add(self, scalars: Mapping[str, float]) -> None:
        """Count in one round; what is not finite is left out."""
        for name, scalar in scalars.items():
            value = float(scalar)
            if math.isfinite(value):  # one NaN in a sum would spoil every later mean
                total = self._totals.setdefault(name, [0.0, 0])
                total[0] += value
                total[1] += 1

    def mark(self) -> dict[str, list[float]]:
        """The present moment: ``[sum, count]`` by name."""
        return {name: list(total) for name, total in self._totals.items()}

    def means_since(self, mark: Mapping[str, list[float]]) -> dict[str, float]:
        """The mean by name over the rounds since a mark, for those that had any."""
        means = {}
        for name, (total, count) in self._totals.items():
            total_before, count_before = mark.get(name, (0.0, 0))
            if count > count_before:
                means[name] = (total - total_before) / (count - count_before)
        return means

    def return_to(self, mark: Mapping[str, list[float]]) -> None:
        """Go on from a mark as if nothing had been counted since."""
        self._totals = {name: list(total) for name, total in mark.items()}


class EpisodeHistory:
    """Every finished episode's numbers, and what can be said of the latest.

    Args:
        window: how many of the latest episodes a mean or a share is taken over.
        reported_metrics: names of what is reported of learning.

    Attributes:
        columns: reward, length and each report: one number per episode each.
        best_x: the farthest that any episode came, None in a game without such a thing.
        last: the last episode.
    """

    def __init__(self, window: int, reported_metrics: Sequence[str] = REPORTS) -> None:
        self.columns = {name: array("d") for name in ("reward", "length", *reported_metrics)}
        self.best_x: float | None = None
        self.last: EpisodeRow | None = None
        self._window = window
        self._latest_ends: deque[str] = deque(maxlen=window)
        self._reasons: set[str] = set()

    def add(self, row: EpisodeRow) -> None:
        """Take in a finished episode."""
        numbers = {"reward": row.reward, "length": row.length} | row.reported_metrics
        for name, column in self.columns.items():
            column.append(numbers[name])
        if row.best_x is not None:
            self.best_x = max(row.best_x, self.best_x or 0.0)
        self.last = row
        if not row.start_offset:
            self._latest_ends.append(row.ending)
            self._reasons.add(row.ending)

    def means(self) -> dict[str, float]:
        """Mean reward, length and reported_metrics of the latest episodes; 0 before the first."""
        latest = {name: column[-self._window :] for name, column in self.columns.items()}
        return {name: math.fsum(tail) / max(len(tail), 1) for name, tail in latest.items()}

    def ending(self) -> dict[str, float]:
        """Share of the latest episodes by why they ended; 0 for what only earlier ones ended by.

        Of those that began at the game's start, here and in `clear_rate`.
        """
        counts = Counter(self._latest_ends)
        return {why: counts[why] / len(self._latest_ends) for why in sorted(self._reasons)}

    @property
    def clear_rate(self) -> float:
        """Share of the latest episodes that cleared their level."""
        return self.ending().get(FLAG, 0.0)
