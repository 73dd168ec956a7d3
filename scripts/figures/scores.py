"""Tabulate and plot the scores of training episodes, for games without levels.

    python scripts/figures/scores.py OUT RUN [RUN ...] [--names "Pong, PPO" "Pong, REINFORCE"]

A run is a folder written by `mario-train`. The output is ``OUT/scores.md`` and ``OUT/scores.png``.
The score of an episode includes exploration; the output shows means over 100 episodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray

matplotlib.use("Agg")
from curves import read_rows, write_report
from matplotlib import pyplot as plt

WINDOW = 100
"""Episodes in a mean."""
HEADS = ("run", "episodes", "steps", "hours", f"last {WINDOW}", f"best {WINDOW}")


@dataclass(frozen=True)
class Scores:
    """The scores of a run, in the order in which the episodes ended.

    Attributes:
        name: Name of the run.
        steps: Steps of all environments until the end of each episode, int64 ``(episodes,)``.
        hours: Duration of the run until then, ``(episodes,)``.
        means: Mean of the latest `WINDOW` scores, or of fewer at the beginning, ``(episodes,)``.
    """

    name: str
    steps: NDArray[np.int64]
    hours: NDArray[np.float64]
    means: NDArray[np.float64]

    @property
    def best(self) -> float:
        """Highest mean of `WINDOW` episodes; minus infinity if there are fewer."""
        return float(self.means[WINDOW - 1 :].max(initial=-np.inf))


def read_scores(run: Path, name: str) -> Scores:
    """Read the scores of a run from its folder.

    Raises:
        SystemExit: No episode has ended.
    """
    episodes = read_rows(run / "metrics.csv")
    if not episodes:
        raise SystemExit(f"no episode of {run} has ended; train it for longer")
    scores = np.array([float(row["reward"]) for row in episodes])
    return Scores(
        name,
        np.array([int(row["step"]) for row in episodes]),
        np.array([float(row["seconds"]) / 3600 for row in episodes]),
        moving_average(scores, WINDOW),
    )


def moving_average(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the mean of each value and its predecessors.

    Args:
        values: ``(n,)``.
        window: Number of values in a mean; at the beginning there are fewer.

    >>> moving_average(np.array([1.0, 3.0, 5.0]), 2).tolist()
    [1.0, 2.0, 4.0]
    """
    sums = np.concatenate(([0.0], values.cumsum()))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def format_table(runs: Sequence[Scores]) -> str:
    """Return a Markdown table with a row per run."""
    lines = [f"| {' | '.join(HEADS)} |", f"|---|{'--:|' * (len(HEADS) - 1)}"]
    for run in runs:
        best = f"{run.best:.1f}" if len(run.means) >= WINDOW else "-"
        cells = (
            run.name, f"{len(run.means):,}", f"{run.steps[-1]:,}", f"{run.hours[-1]:.2f}",
            f"{run.means[-1]:.1f}", best,
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def plot(runs: Sequence[Scores], path: Path) -> None:
    """Plot mean scores over episodes, steps and hours."""
    figure, axes = plt.subplots(1, 3, figsize=(14, 3.6), sharey=True)
    for run in runs:
        episodes = np.arange(1, len(run.means) + 1)
        for axis, x in zip(axes, (episodes, run.steps / 1e6, run.hours), strict=True):
            axis.plot(x, run.means, label=run.name)
    for axis, label in zip(axes, ("episodes", "million steps", "hours"), strict=True):
        axis.set_xlabel(label)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel(f"score, mean of {WINDOW} episodes")
    axes[2].legend(loc="best", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table and the plot of the given runs."""
    description = (__doc__ or "").splitlines()[0]
    write_report("scores", description, read_scores, format_table, plot, arguments)


if __name__ == "__main__":
    main()
