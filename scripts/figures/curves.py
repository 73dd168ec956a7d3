"""Tabulate and plot when runs reached the first flag and which clear rates.

    python scripts/figures/curves.py OUT RUN [RUN ...] [--names "seed 0" "seed 1"]

A run is a folder written by `mario-train`. The output is ``OUT/curves.md`` and ``OUT/curves.png``.

An evaluation has only 31 different starts, and the greedy policy plays each the same way every
time. A small change of the network therefore changes the outcome of several episodes, and the clear
rate varies a lot between evaluations. The clear rate of the training episodes of the least
exploring environments is steadier, because the network changes during training and some actions
are random, so that these episodes hardly repeat.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

T = TypeVar("T")

RATES = (0.5, 0.9, 0.95)
WINDOW = 25_000
"""Steps over which the flags in training are counted."""
PANELS = (
    ("greedy evaluation", "thousand steps"),
    ("greedy evaluation", "minutes"),
    ("training, least exploring environments", "thousand steps"),
)
FINAL_WINDOWS = 2
"""Windows at the end of a run that count for `Curve.final_training_rate`."""


@dataclass(frozen=True)
class Curve:
    """The clear rates of a run.

    Attributes:
        name: Name of the run.
        steps: Steps at each evaluation.
        minutes: Duration of the run until each evaluation.
        rates: Clear rate of each evaluation.
        episodes: Number of episodes of each evaluation.
        first_flag: Steps and minutes until a training episode first cleared the level from its
            start; None if none did.
        training_windows: For each `WINDOW` of training, the number of flags and the number of
            episodes in the least exploring environments.
    """

    name: str
    steps: list[int]
    minutes: list[float]
    rates: list[float]
    episodes: list[int]
    first_flag: tuple[int, float] | None
    training_windows: list[tuple[int, int]]

    @property
    def final_training_rate(self) -> float:
        """Clear rate in the last `FINAL_WINDOWS` of training."""
        final = self.training_windows[-FINAL_WINDOWS:]
        num_episodes = sum(episodes for _, episodes in final)
        return sum(flags for flags, _ in final) / max(num_episodes, 1)

    def first_reaching(self, rate: float) -> tuple[int, float] | None:
        """Return steps and minutes of the first evaluation with at least this clear rate."""
        points = zip(self.steps, self.minutes, self.rates, strict=True)
        return next(((steps, minutes) for steps, minutes, r in points if r >= rate), None)

    @property
    def best(self) -> str:
        """Best clear rate among the evaluations with the most episodes."""
        most = max(self.episodes)
        rates = [rate for rate, n in zip(self.rates, self.episodes, strict=True) if n == most]
        return f"{max(rates):.0%} of {most}"


def read_curve(run: Path, name: str) -> Curve:
    """Read the curve of a run from its folder.

    Raises:
        FileNotFoundError: The run has no evaluations.
    """
    evaluations, episodes = (read_rows(run / file) for file in ("evaluations.csv", "metrics.csv"))
    from_start = [row for row in episodes if row.get("start_offset", "0") == "0"]
    flags = [
        (int(row["step"]), float(row["seconds"]) / 60)
        for row in from_start
        if row["ending"] == "flag"
    ]
    return Curve(
        name,
        [int(row["steps_trained"]) for row in evaluations],
        [float(row["seconds"]) / 60 for row in evaluations],
        [float(row["clear_rate"] or 0) for row in evaluations],
        [int(row["episodes"]) for row in evaluations],
        flags[0] if flags else None,
        count_flags(from_start),
    )


def count_flags(episodes: Sequence[Mapping[str, str]]) -> list[tuple[int, int]]:
    """Count flags and episodes of the less exploring half of the environments.

    Exploration decreases with the index of the environment.

    Args:
        episodes: Rows of ``metrics.csv``; without the column ``env`` there is one environment.

    Returns:
        The number of flags and of episodes in each `WINDOW`, up to the last step.

    >>> outcomes = [("0", "flag"), ("1", "death"), ("1", "flag")]
    >>> count_flags([{"step": "9", "env": env, "ending": ending} for env, ending in outcomes])
    [(1, 2)]
    """
    env_indices = [int(row.get("env", "0")) for row in episodes]
    first_counted = (max(env_indices, default=0) + 1) // 2
    windows: list[tuple[int, int]] = []
    for row, env_index in zip(episodes, env_indices, strict=True):
        window = int(row["step"]) // WINDOW
        windows += [(0, 0)] * (window + 1 - len(windows))
        if env_index >= first_counted:
            flags, count = windows[window]
            windows[window] = flags + (row["ending"] == "flag"), count + 1
    return windows


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def format_table(curves: Sequence[Curve]) -> str:
    """Return a Markdown table with a row per run."""
    heads = ["run", "first flag", *(f"{rate:.0%}" for rate in RATES), "best", "training"]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
    for curve in curves:
        points = [curve.first_flag, *map(curve.first_reaching, RATES)]
        cells = [*map(_format_point, points), curve.best, f"{curve.final_training_rate:.0%}"]
        lines.append(f"| {' | '.join([curve.name, *cells])} |")
    return "\n".join(lines) + "\n"


def plot(curves: Sequence[Curve], path: Path) -> None:
    """Plot the clear rates of evaluations over steps and minutes, and those of training."""
    figure, axes = plt.subplots(1, 3, figsize=(14, 3.6), sharey=True)
    for curve in curves:
        axes[0].plot([step / 1e3 for step in curve.steps], curve.rates, ".-", label=curve.name)
        axes[1].plot(curve.minutes, curve.rates, ".-", label=curve.name)
        rates = [flags / count if count else 0.0 for flags, count in curve.training_windows]
        middles = [(window + 0.5) * WINDOW / 1e3 for window in range(len(rates))]
        axes[2].plot(middles, rates, ".-", label=curve.name)
    for axis, (title, label) in zip(axes, PANELS, strict=True):
        axis.set(xlabel=label, ylim=(-0.02, 1.02))
        axis.set_title(title, fontsize=10)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("clear rate")
    axes[2].legend(loc="best", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def write_report(
    name: str,
    description: str,
    read: Callable[[Path, str], T],
    format_table: Callable[[Sequence[T]], str],
    plot: Callable[[Sequence[T], Path], None],
    arguments: Sequence[str] | None,
) -> None:
    """Write a table and a plot of the runs given on a command line.

    Args:
        name: Name of both files, without suffix.
        description: Description of the command.
        read: Reads a run, given its folder and its name.
        format_table: Returns the runs as a Markdown table.
        plot: Plots the runs to a file.
        arguments: Command line; None for ``sys.argv``.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("out", type=Path, help="folder of the table and the plot")
    parser.add_argument("runs", type=Path, nargs="+", help="folders of the runs")
    parser.add_argument("--names", nargs="+", help="names of the runs; default: their folders")
    options = parser.parse_args(arguments)
    names = options.names or [str(run) for run in options.runs]
    if len(names) != len(options.runs):
        parser.error(f"--names has {len(names)} names for {len(options.runs)} runs")
    runs = [read(run, run_name) for run, run_name in zip(options.runs, names, strict=True)]
    options.out.mkdir(parents=True, exist_ok=True)
    table = format_table(runs)
    (options.out / f"{name}.md").write_text(table, encoding="utf-8")
    plot(runs, options.out / f"{name}.png")
    print(table, end="")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table and the plot of the given runs."""
    description = (__doc__ or "").splitlines()[0]
    write_report("curves", description, read_curve, format_table, plot, arguments)


def _format_point(point: tuple[int, float] | None) -> str:
    return "-" if point is None else f"{point[0] / 1e3:.0f}k, {point[1]:.0f} min"


if __name__ == "__main__":
    main()
