"""What each part of the recipe is worth: the preset `mario` with one thing changed at a time.

    python scripts/ablate.py OUT RUNS --steps 100000 --seeds 0 1 [--only recipe "no ladder"]

Every variant is trained for as many decisions, each seed by itself with one thread, so many at a
time as there are jobs. What was stopped is gone on with when the command is given again. RUNS gets
the folders of the runs; OUT gets ``outcomes.json``, ``ablation.md`` and ``ablation.png``, which
tell of all that OUT ever got: a run whose outcome is there needs no folder and is not made again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import curves
import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from mario.system.files import write_atomically

# fmt: off
VARIANTS: dict[str, list[str]] = {
    "recipe": [],
    "plain gray": ["--wrappers.observation", "gray"],
    "score and time seen": ["--wrappers.crop-top", "0"],
    "plain gray, score and time seen": ["--wrappers.observation", "gray", "--wrappers.crop-top", "0"],
    "action not shown": ["--wrappers.no-show-action"],
    "sticky actions": ["--wrappers.repeat-action-probability", "0.25"],
    "no revisits of the farthest way": ["--wrappers.revisit-farthest", "0"],
    "revisits after nine losses in ten": ["--wrappers.revisit", "0.9"],
    "no revisits": ["--wrappers.revisit", "0"],
    "not prioritised": ["--hyper.priority-alpha", "0"],
    "not dueling": ["--hyper.no-dueling"],
    "not double": ["--hyper.no-double-q"],
    "plays with the latest weights": ["--hyper.weight-average-updates", "0"],
    "features shared with the target": ["--hyper.no-separate-target"],
    "1-step returns": ["--hyper.n-step", "1"],
    "3-step returns": ["--hyper.n-step", "3"],
    "10-step returns": ["--hyper.n-step", "10"],
    "no ladder": ["--hyper.exploration-apex-base", "0", "--hyper.exploration-min", "0.05"],
    "no held actions": ["--hyper.exploration-action-repeat", "1"],
    "ends worth nothing": ["--wrappers.reward-won", "0", "--wrappers.reward-lost", "0"],
    "rewards not scaled": ["--wrappers.reward-scale", "1"],
    "gamma 0.9": ["--hyper.gamma", "0.9"],
    "gamma 0.99": ["--hyper.gamma", "0.99"],
    "learning rate 1e-4 throughout": [
        "--hyper.learning-rate", "0.0001", "--hyper.learning-rate-end", "None",
    ],
    "learning rate 5e-4 throughout": ["--hyper.learning-rate-end", "None"],
    "in float32": ["--hyper.precision", "float32"],
    "sync every 4,000 updates": ["--hyper.sync-every", "32000"],
    "batch 128, half as often": ["--hyper.batch-size", "128", "--hyper.learn-every", "16"],
    "batch 32, twice as often": ["--hyper.batch-size", "32", "--hyper.learn-every", "4"],
    "4 samples a decision": ["--hyper.learn-every", "16"],
    "shifts of 4 pixels": ["--hyper.random-shift", "4"],
    "96 x 96 pixels": ["--wrappers.size", "96"],
    "no background": ["--game", "SuperMarioBros-1-1-v1"],
    "7 actions": ["--actions", "simple"],
    "no random starts": ["--wrappers.noop-max", "0"],
    "256 hidden units": ["--hyper.hidden-size", "256"],
}
# fmt: on
"""Flags of ``mario-train`` that differ from the preset's."""
LATE = 0.25
"""The share of a run, at its end, that its distance is the mean of."""


@dataclass(frozen=True)
class Outcome:
    """What came of one run.

    Attributes:
        variant: what was changed.
        seed: of the run.
        steps: decisions at each evaluation.
        rates: the clear rate of each.
        late: the share of flags in training near its end, see `curves.Curve.late`.
        distance: mean of the farthest x of the episodes near its end, exploration included.
        first_flag: decisions until an episode first cleared the level, None if none did. In both,
            only episodes from the level's start count.
        hours: of training.
    """

    variant: str
    seed: int
    steps: list[int]
    rates: list[float]
    late: float
    distance: float
    first_flag: int | None
    hours: float


def train(folder: Path, steps: int, seed: int, flags: Sequence[str]) -> None:
    """Train one run, or go on with it, until it has its decisions."""
    command = [str(Path(sys.executable).with_name("mario-train"))]
    begun = sorted(folder.glob("*/config.yaml"))
    if begun:
        command += ["--resume", str(begun[-1].parent)]
    else:
        command += ["--preset", "mario", "--save-dir", str(folder), "--seed", str(seed), *flags]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "console").open("a") as console:
        subprocess.run(
            [*command, "--steps", str(steps), "--threads", "1", "--no-tensorboard"],
            stdout=console, stderr=console, check=True,
        )  # fmt: skip


def read(folder: Path, variant: str, seed: int) -> Outcome:
    """What came of the run in a folder."""
    (run,) = (path.parent for path in folder.glob("*/config.yaml"))
    curve, episodes = curves.read(run, variant), curves.rows(run / "metrics.csv")
    end = int(episodes[-1]["step"])
    whole = [row for row in episodes if row["revisited"] == "0"]
    late = [float(row["best_x"]) for row in whole if int(row["step"]) > (1 - LATE) * end]
    return Outcome(
        variant=variant,
        seed=seed,
        steps=curve.steps,
        rates=curve.rates,
        late=curve.late,
        distance=statistics.fmean(late),
        first_flag=curve.first_flag[0] if curve.first_flag else None,
        hours=float(episodes[-1]["seconds"]) / 3600,
    )


class Ledger:
    """The outcomes of all runs so far, in a file that is small enough to keep.

    Args:
        path: the file; there may be none yet.
        steps: decisions of each run.

    Raises:
        SystemExit: the file is of runs of another length.
    """

    def __init__(self, path: Path, steps: int) -> None:
        self._path, self._steps = path, steps
        self.outcomes: list[Outcome] = []
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["steps"] != steps:
                theirs = kept["steps"]
                raise SystemExit(
                    f"{path} is of runs of {theirs:,} decisions; give --steps {theirs}"
                )
            self.outcomes = [Outcome(**outcome) for outcome in kept["outcomes"]]

    def has(self, variant: str, seed: int) -> bool:
        """Whether the outcome of a run is known."""
        return any((each.variant, each.seed) == (variant, seed) for each in self.outcomes)

    def add(self, outcome: Outcome) -> None:
        """Keep one more."""
        order = {name: place for place, name in enumerate(VARIANTS)}
        self.outcomes = sorted(
            [*self.outcomes, outcome],
            key=lambda each: (order.get(each.variant, len(order)), each.seed),
        )
        kept = {"steps": self._steps, "outcomes": [asdict(each) for each in self.outcomes]}
        text = json.dumps(kept, indent=1) + "\n"
        write_atomically(self._path, lambda file: file.write(text.encode()))

    def by_variant(self) -> dict[str, list[Outcome]]:
        """The outcomes of each variant, by seed."""
        found: dict[str, list[Outcome]] = {}
        for each in self.outcomes:
            found.setdefault(each.variant, []).append(each)
        return found


def table(found: dict[str, list[Outcome]], steps: int) -> str:
    """All variants, the best first, as a table in Markdown."""
    lines = [
        f"World 1-1, {steps:,} decisions, one thread; the figure of each seed.\n",
        "| changed | first flag after (thousand decisions) | best clear rate "
        "| flags in training near the end | distance near the end | hours |",
        "|---|---|---|---|---|---|",
    ]
    ranked = sorted(found.items(), key=lambda item: -statistics.fmean(run.late for run in item[1]))
    for name, runs in ranked:
        cells = (
            ["-" if run.first_flag is None else f"{run.first_flag / 1000:.0f}" for run in runs],
            [f"{max(run.rates):.0%}" for run in runs],
            [f"{run.late:.0%}" for run in runs],
            [f"{run.distance:.0f}" for run in runs],
            [f"{run.hours:.2f}" for run in runs],
        )
        lines.append(" | ".join([f"| {name}", *(" / ".join(cell) for cell in cells)]) + " |")
    return "\n".join(lines) + "\n"


def plot(found: dict[str, list[Outcome]], path: Path) -> None:
    """The clear rate over the decisions: each variant's seeds, beside those of the recipe."""
    columns = min(4, len(found))
    rows = -(-len(found) // columns)
    size = 4 * columns, 0.4 + 2.6 * rows
    figure, axes = plt.subplots(
        rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    for axis, (name, runs) in zip(axes.flat, found.items(), strict=False):
        for label, color in (("recipe", "0.7"), (name, "C0")):
            for run in found.get(label, []):
                axis.plot([step / 1000 for step in run.steps], run.rates, ".-", color=color)
        axis.set_title(f"{name}, {len(runs)} seeds", fontsize=10)
    figure.supxlabel("thousand decisions")
    figure.supylabel("clear rate")
    for axis in axes.flat[len(found) :]:
        axis.set_visible(False)
    axes.flat[0].set_ylim(0, 1)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train what is asked for and not known yet, and write the table and the plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the outcomes, the table and the plot")
    parser.add_argument("runs", type=Path, help="folder of the runs")
    parser.add_argument("--steps", type=int, default=100_000, help="decisions of each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--only", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(options.out / "outcomes.json", options.steps)

    def run(variant: str, seed: int) -> Outcome:
        """Train one, and tell what came of it."""
        folder = options.runs / variant.replace(" ", "-").replace(",", "") / str(seed)
        train(folder, options.steps, seed, VARIANTS[variant])
        return read(folder, variant, seed)

    missing = [
        (name, seed)
        for name in options.only
        for seed in options.seeds
        if not ledger.has(name, seed)
    ]
    with ThreadPoolExecutor(options.jobs) as pool:
        for outcome in pool.map(lambda each: run(*each), missing):
            ledger.add(outcome)
    found = ledger.by_variant()
    (options.out / "ablation.md").write_text(table(found, options.steps), encoding="utf-8")
    plot(found, options.out / "ablation.png")
    print(table(found, options.steps))


if __name__ == "__main__":
    main()
