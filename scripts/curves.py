"""When runs reached what: the first flag, and greedy clear rates, as a table and curves.

    python scripts/curves.py OUT RUN [RUN ...] [--names "seed 0" "seed 1"]

A run is the folder that `mario-train` wrote. OUT gets ``curves.md`` and ``curves.png``.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

RATES = (0.5, 0.9, 0.95)


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
    """

    name: str
    steps: list[int]
    minutes: list[float]
    rates: list[float]
    episodes: list[int]
    first_flag: tuple[int, float] | None

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
    flags = [
        (int(row["step"]), float(row["seconds"]) / 60)
        for row in episodes
        if row["ended_by"] == "flag" and row.get("revisited", "0") == "0"
    ]
    return Curve(
        name,
        [int(row["steps_trained"]) for row in evaluations],
        [float(row["seconds"]) / 60 for row in evaluations],
        [float(row["clear_rate"] or 0) for row in evaluations],
        [int(row["episodes"]) for row in evaluations],
        flags[0] if flags else None,
    )


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table(curves: Sequence[Curve]) -> str:
    """A row for each run, in Markdown: thousands of decisions, and minutes."""
    heads = ["run", "first flag", *(f"{rate:.0%}" for rate in RATES), "best"]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
    for curve in curves:
        reached = [curve.first_flag, *map(curve.reached, RATES)]
        cells = [curve.name, *map(_cell, reached), curve.best]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw(curves: Sequence[Curve], path: Path) -> None:
    """The clear rates over the decisions, and over the minutes."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
    for curve in curves:
        axes[0].plot([step / 1e3 for step in curve.steps], curve.rates, ".-", label=curve.name)
        axes[1].plot(curve.minutes, curve.rates, ".-", label=curve.name)
    for axis, label in zip(axes, ("thousand decisions", "minutes"), strict=True):
        axis.set(xlabel=label, ylim=(-0.02, 1.02))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("greedy clear rate")
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table and the picture of the runs that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the table and the picture")
    parser.add_argument("runs", type=Path, nargs="+", help="folders of runs")
    parser.add_argument("--names", nargs="+", help="what the runs are called there")
    options = parser.parse_args(arguments)
    names = options.names or [str(run) for run in options.runs]
    if len(names) != len(options.runs):
        parser.error(f"--names gives {len(names)} names for {len(options.runs)} runs")
    curves = [read(run, name) for run, name in zip(options.runs, names, strict=True)]
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "curves.md").write_text(table(curves), encoding="utf-8")
    draw(curves, options.out / "curves.png")
    print(table(curves), end="")


def _cell(reached: tuple[int, float] | None) -> str:
    return "-" if reached is None else f"{reached[0] / 1e3:.0f}k, {reached[1]:.0f} min"


if __name__ == "__main__":
    main()
