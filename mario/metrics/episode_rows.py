"""The rows of ``metrics.csv``: one per episode."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Self

TUTORIAL_METRICS = ("loss", "q")
"""The training metrics that the PyTorch tutorial logs and plots."""


@dataclass(frozen=True)
class EpisodeRecord:
    """An episode that has just ended.

    Attributes:
        episode: number of the episode in the run, from 1.
        step: agent steps so far, over all environments.
        env: index of its environment, from 0.
        reward: sum of the game's own rewards.
        length: agent steps of the episode.
        best_x: the farthest x position, in pixels; None in a game that has none.
        ending: why it ended, an `mario.games.endings.Ending`, e.g. ``"flag"``.
        start_offset: agent steps from the game's start to the episode's start point. 0 for an
            episode from the game's start, negative if it started on the farthest trajectory.
    """

    episode: int
    step: int
    env: int
    reward: float
    length: int
    best_x: float | None
    ending: str
    start_offset: int = 0


@dataclass(frozen=True)
class EpisodeRow:
    """A row of ``metrics.csv``; the fields and the metrics are its columns, in this order.

    The fields that are not listed here are those of `EpisodeRecord`.

    Attributes:
        metrics: of learning, by name: means over the rounds of learning during the episode, NaN
            before the first one. A NaN is an empty cell.
        epsilon: exploration rate at the end of the episode.
        seconds: since the start of the run, without the time between sessions.
    """

    episode: int
    step: int
    env: int
    reward: float
    length: int
    metrics: dict[str, float]
    epsilon: float
    best_x: float | None
    ending: str
    seconds: float
    start_offset: int = 0

    def cells(self) -> dict[str, object]:
        """Return the value of each column; as text, `parse` reads them back exactly."""
        metrics = {name: "" if math.isnan(mean) else mean for name, mean in self.metrics.items()}
        return vars(self) | metrics

    @classmethod
    def parse(cls, cells: Mapping[str, str], metrics: Sequence[str] = TUTORIAL_METRICS) -> Self:
        """Read a row from its cells.

        Args:
            cells: the text of each cell, by column.
            metrics: names of the training metrics.

        Raises:
            ValueError: a cell is missing or has the wrong type.
        """
        try:
            return cls(
                episode=int(cells["episode"]),
                step=int(cells["step"]),
                env=int(cells["env"]),
                reward=float(cells["reward"]),
                length=int(cells["length"]),
                metrics={name: float(cells[name] or math.nan) for name in metrics},
                epsilon=float(cells["epsilon"]),
                best_x=float(cells["best_x"]) if cells["best_x"] else None,
                ending=cells["ending"],
                seconds=float(cells["seconds"]),
                start_offset=int(cells["start_offset"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"row {dict(cells)} lacks a cell") from error


def columns_of(metrics: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of a ``metrics.csv`` with these training metrics.

    >>> columns_of(["loss"])[3:7]
    ('reward', 'length', 'loss', 'epsilon')
    """
    names = [field.name for field in fields(EpisodeRow)]
    index = names.index("metrics")
    return (*names[:index], *metrics, *names[index + 1 :])


def read_rows(text: str, metrics: Sequence[str] = TUTORIAL_METRICS) -> tuple[list[EpisodeRow], int]:
    """Read the text of a ``metrics.csv``.

    Returns:
        The rows, and the number of damaged rows that were skipped.
    """
    rows, damaged = [], 0
    header, *lines = text.split("\n") if text else [""]
    for line in filter(None, lines):
        try:
            (cells,) = csv.DictReader([header, line], strict=True)
            rows.append(EpisodeRow.parse(cells, metrics))
        except (ValueError, csv.Error):
            damaged += 1
    return rows, damaged
