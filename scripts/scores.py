"""How scores grew in training, of games without levels: a table and a picture.

    python scripts/scores.py OUT RUN [RUN ...] [--names "Pong, PPO" "Pong, REINFORCE"]

A run is the folder that `mario-train` wrote. OUT gets ``scores.md`` and ``scores.png``. A score is
that of a whole game in training, exploration included, and told as the mean of the latest 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray

matplotlib.use("Agg")
from curves import report, rows
from matplotlib import pyplot as plt

WINDOW = 100
"""Games that a mean is of."""
HEADS = ("run", "games", "decisions", "hours", f"last {WINDOW}", f"best {WINDOW}")


@dataclass(frozen=True)
class Scores:
    """The games of a run, in the order in which they ended.

    Attributes:
        name: of the run.
        steps: decisions of all games until then, int64 ``(games,)``.
        hours: of the run until then, ``(games,)``.
        means: of the latest `WINDOW` scores, of fewer at the beginning, ``(games,)``.
    """

    name: str
    steps: NDArray[np.int64]
    hours: NDArray[np.float64]
    means: NDArray[np.float64]

    @property
    def best(self) -> float:
        """The greatest mean of as many games as there are to be."""
        return float(self.means[WINDOW - 1 :].max(initial=-np.inf))


def read(run: Path, name: str) -> Scores:
    """The scores of the run in a folder.

    Raises:
        SystemExit: no game of it has ended.
    """
    games = rows(run / "metrics.csv")
    if not games:
        raise SystemExit(f"no game of {run} has ended; train it further")
    scores = np.array([float(row["reward"]) for row in games])
    return Scores(
        name,
        np.array([int(row["step"]) for row in games]),
        np.array([float(row["seconds"]) / 3600 for row in games]),
        latest_means(scores, WINDOW),
    )


def latest_means(numbers: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """The mean of the latest numbers at each place.

    Args:
        numbers: ``(n,)``.
        window: how many, if there are as many.

    >>> latest_means(np.array([1.0, 3.0, 5.0]), 2).tolist()
    [1.0, 2.0, 4.0]
    """
    sums = np.concatenate(([0.0], numbers.cumsum()))
    ends = np.arange(1, len(numbers) + 1)
    begins = np.maximum(ends - window, 0)
    return (sums[ends] - sums[begins]) / (ends - begins)


def table(runs: Sequence[Scores]) -> str:
    """A row for each run, in Markdown."""
    lines = [f"| {' | '.join(HEADS)} |", f"|---|{'--:|' * (len(HEADS) - 1)}"]
    for run in runs:
        best = f"{run.best:.1f}" if len(run.means) >= WINDOW else "-"
        cells = (
            run.name, f"{len(run.means):,}", f"{run.steps[-1]:,}", f"{run.hours[-1]:.2f}",
            f"{run.means[-1]:.1f}", best,
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw(runs: Sequence[Scores], path: Path) -> None:
    """Mean scores over games, decisions and hours."""
    figure, axes = plt.subplots(1, 3, figsize=(14, 3.6), sharey=True)
    for run in runs:
        games = np.arange(1, len(run.means) + 1)
        for axis, along in zip(axes, (games, run.steps / 1e6, run.hours), strict=True):
            axis.plot(along, run.means, label=run.name)
    for axis, label in zip(axes, ("games", "million decisions", "hours"), strict=True):
        axis.set_xlabel(label)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel(f"score, mean of {WINDOW} games")
    axes[2].legend(loc="best", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table and the picture of the runs that are named."""
    report("scores", (__doc__ or "").splitlines()[0], read, table, draw, arguments)


if __name__ == "__main__":
    main()
