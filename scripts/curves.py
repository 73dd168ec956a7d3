"""When runs reached what: the first flag, and greedy clear rates, as a table and curves.

    python scripts/curves.py OUT RUN [RUN ...] [--names "seed 0" "seed 1"]

A run is the folder that `mario-train` wrote. OUT gets ``curves.md`` and ``curves.png``.

There are but 31 starts, and a greedy agent plays every one of them always alike: where a jump fails
it fails in many episodes of an evaluation at once, and a small change of the network changes the
clear rate a lot. Steadier is how often the games of training reach the flag that explore least:
their episodes hardly repeat each other, since the network changes and some actions are random.
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
"""Decisions over which the flags of training are counted together."""
PANELS = (
    ("greedy", "thousand decisions"),
    ("greedy", "minutes"),
    ("training, the games that explore least", "thousand decisions"),
)
LATE = 2
"""Windows at the end of a run that the table tells of."""


@dataclass(frozen=True)
class Curve:
    """The evaluations of a run.

    Attributes:
        name: of the run.
        steps: decisions at each evaluation.
        minutes: of the run until then.
        rates: of how many episodes the level was cleared.
        episodes: of each evaluation.
        first_flag: decisions and minutes until an episode first cleared the level from its start,
            exploration included; None if none did.
        nearly_greedy: for each window of training, how many episodes of the games that explore
            least reached the flag, and how many there were.
    """

    name: str
    steps: list[int]
    minutes: list[float]
    rates: list[float]
    episodes: list[int]
    first_flag: tuple[int, float] | None
    nearly_greedy: list[tuple[int, int]]

    @property
    def late(self) -> float:
        """The share of flags among the episodes of those games in the last windows."""
        last = self.nearly_greedy[-LATE:]
        return sum(flags for flags, _ in last) / max(sum(count for _, count in last), 1)

    def reached(self, rate: float) -> tuple[int, float] | None:
        """Decisions and minutes at the first evaluation that cleared so many, None if none did."""
        found = [n for n, each in enumerate(self.rates) if each >= rate]
        return (self.steps[found[0]], self.minutes[found[0]]) if found else None

    @property
    def best(self) -> str:
        """The best clear rate that was confirmed by as many episodes as any was."""
        most = max(self.episodes)
        rates = [rate for rate, n in zip(self.rates, self.episodes, strict=True) if n == most]
        return f"{max(rates):.0%} of {most}"


def read(run: Path, name: str) -> Curve:
    """The curve of the run in a folder.

    Raises:
        FileNotFoundError: it has no evaluations.
    """
    evaluations, episodes = (rows(run / f"{each}.csv") for each in ("evaluations", "metrics"))
    whole = [row for row in episodes if row.get("revisited", "0") == "0"]
    flags = [
        (int(row["step"]), float(row["seconds"]) / 60) for row in whole if row["ending"] == "flag"
    ]
    return Curve(
        name,
        [int(row["steps_trained"]) for row in evaluations],
        [float(row["seconds"]) / 60 for row in evaluations],
        [float(row["clear_rate"] or 0) for row in evaluations],
        [int(row["episodes"]) for row in evaluations],
        flags[0] if flags else None,
        count_flags(whole),
    )


def count_flags(episodes: Sequence[Mapping[str, str]]) -> list[tuple[int, int]]:
    """Flags and episodes of the latter half of the games, whose rungs of the ladder are lower.

    Args:
        episodes: rows of ``metrics.csv``; without the number of a game, there is one game.

    Returns:
        A pair for each `WINDOW` that the decisions fill, or begin to.

    >>> ends = [("0", "flag"), ("1", "death"), ("1", "flag")]
    >>> count_flags([{"step": "9", "game": game, "ending": end} for game, end in ends])
    [(1, 2)]
    """
    games = [int(row.get("game", "0")) for row in episodes]
    first = (max(games, default=0) + 1) // 2
    windows: list[tuple[int, int]] = []
    for row, game in zip(episodes, games, strict=True):
        window = int(row["step"]) // WINDOW
        windows += [(0, 0)] * (window + 1 - len(windows))
        if game >= first:
            flags, count = windows[window]
            windows[window] = flags + (row["ending"] == "flag"), count + 1
    return windows


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table(curves: Sequence[Curve]) -> str:
    """A row for each run, in Markdown: thousands of decisions, and minutes; clear rates at last."""
    heads = ["run", "first flag", *(f"{rate:.0%}" for rate in RATES), "best", "training"]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
    for curve in curves:
        reached = [curve.first_flag, *map(curve.reached, RATES)]
        cells = [curve.name, *map(_cell, reached), curve.best, f"{curve.late:.0%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Clear rates over the decisions, and over the minutes; and those of training."""
    figure, axes = plt.subplots(1, 3, figsize=(14, 3.6), sharey=True)
    for curve in curves:
        axes[0].plot([step / 1e3 for step in curve.steps], curve.rates, ".-", label=curve.name)
        axes[1].plot(curve.minutes, curve.rates, ".-", label=curve.name)
        shares = [flags / count if count else 0.0 for flags, count in curve.nearly_greedy]
        middles = [(window + 0.5) * WINDOW / 1e3 for window in range(len(shares))]
        axes[2].plot(middles, shares, ".-", label=curve.name)
    for axis, (title, label) in zip(axes, PANELS, strict=True):
        axis.set(xlabel=label, ylim=(-0.02, 1.02))
        axis.set_title(title, fontsize=10)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("clear rate")
    axes[2].legend(loc="best", fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def report(
    name: str,
    description: str,
    read: Callable[[Path, str], T],
    table: Callable[[Sequence[T]], str],
    draw: Callable[[Sequence[T], Path], None],
    arguments: Sequence[str] | None,
) -> None:
    """Write a table and a picture of the runs that a command line names.

    Args:
        name: of both files, without what they end with.
        description: of the command.
        read: makes what is told of a run from its folder and what it is called.
        table: tells of the runs in Markdown.
        draw: draws them into a file.
        arguments: the command line; None for the program's own.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("out", type=Path, help="folder of the table and the picture")
    parser.add_argument("runs", type=Path, nargs="+", help="folders of runs")
    parser.add_argument("--names", nargs="+", help="what the runs are called there")
    options = parser.parse_args(arguments)
    names = options.names or [str(run) for run in options.runs]
    if len(names) != len(options.runs):
        parser.error(f"--names gives {len(names)} names for {len(options.runs)} runs")
    runs = [read(run, called) for run, called in zip(options.runs, names, strict=True)]
    options.out.mkdir(parents=True, exist_ok=True)
    told = table(runs)
    (options.out / f"{name}.md").write_text(told, encoding="utf-8")
    draw(runs, options.out / f"{name}.png")
    print(told, end="")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table and the picture of the runs that are named."""
    report("curves", (__doc__ or "").splitlines()[0], read, table, draw, arguments)


def _cell(reached: tuple[int, float] | None) -> str:
    return "-" if reached is None else f"{reached[0] / 1e3:.0f}k, {reached[1]:.0f} min"


if __name__ == "__main__":
    main()
