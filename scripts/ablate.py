"""What each part of the recipe is worth: the preset `mario` with one thing changed at a time.

    python scripts/ablate.py OUT --steps 300000 --seeds 0 1 [--only recipe "no ladder"] [--jobs 2]

Every variant is trained for as many decisions, each seed by itself with one thread, so many at a
time as there are jobs. What was stopped is gone on with when the command is given again. Writes
``ablation.md`` and ``ablation.png`` into OUT.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import curves
import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

# fmt: off
VARIANTS: dict[str, list[str]] = {
    "recipe": [],
    "action not shown": ["--wrappers.no-show-action"],
    "sticky actions": ["--wrappers.sticky", "0.25"],
    "no revisits": ["--wrappers.revisit", "0"],
    "not prioritised": ["--hyper.priority-alpha", "0"],
    "not dueling": ["--hyper.no-dueling"],
    "features shared with the target": ["--hyper.no-separate-target"],
    "1-step returns": ["--hyper.n-step", "1"],
    "3-step returns": ["--hyper.n-step", "3"],
    "10-step returns": ["--hyper.n-step", "10"],
    "no ladder": ["--hyper.exploration-ladder", "0", "--hyper.exploration-min", "0.05"],
    "no held actions": ["--hyper.exploration-hold", "1"],
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
    "shifts of 4 pixels": ["--hyper.shift", "4"],
    "no background": ["--game", "SuperMarioBros-1-1-v1"],
    "7 actions": ["--actions", "simple"],
    "no random starts": ["--wrappers.noops", "0"],
    "256 hidden units": ["--hyper.hidden", "256"],
}
# fmt: on
"""Flags of ``mario-train`` that differ from the preset's."""
LATE = 0.25
"""The share of a run, at its end, that its distance is the mean of."""


@dataclass(frozen=True)
class Outcome:
    """What came of one run.

    Attributes:
        steps: decisions at each evaluation.
        rates: the clear rate of each.
        late: the share of flags in training near its end, see `curves.Curve.late`.
        distance: mean of the farthest x of the episodes near its end, exploration included.
        first_flag: decisions until an episode first cleared the level, None if none did. In both,
            only episodes from the level's start count.
        hours: of training.
    """

    steps: list[int]
    rates: list[float]
    late: float
    distance: float
    first_flag: int | None
    hours: float


def train(folder: Path, steps: int, seed: int, flags: list[str]) -> None:
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


def read(folder: Path) -> Outcome:
    """What came of the run in a folder."""
    (run,) = (path.parent for path in folder.glob("*/config.yaml"))
    curve, episodes = curves.read(run, folder.name), curves.rows(run / "metrics.csv")
    end = int(episodes[-1]["step"])
    whole = [row for row in episodes if row["revisited"] == "0"]
    late = [float(row["best_x"]) for row in whole if int(row["step"]) > (1 - LATE) * end]
    return Outcome(
        steps=curve.steps,
        rates=curve.rates,
        late=curve.late,
        distance=statistics.fmean(late),
        first_flag=curve.first_flag[0] if curve.first_flag else None,
        hours=float(episodes[-1]["seconds"]) / 3600,
    )


def table(found: dict[str, list[Outcome]], steps: int) -> str:
    """All variants, the best first, as a table in Markdown."""
    lines = [
        f"Super Mario Bros. 1-1, {steps:,} decisions, {len(next(iter(found.values())))} seeds: "
        "each seed's figure.\n",
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
    columns = 4
    rows = -(-len(found) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(4 * columns, 2.6 * rows), sharex=True, sharey=True, squeeze=False
    )
    for axis, (name, runs) in zip(axes.flat, found.items(), strict=False):
        for label, color in (("recipe", "0.7"), (name, "C0")):
            for run in found.get(label, []):
                axis.plot([step / 1e6 for step in run.steps], run.rates, ".-", color=color)
        axis.set_title(f"{name}, {len(runs)} seeds", fontsize=10)
    figure.supxlabel("million decisions")
    figure.supylabel("clear rate")
    for axis in axes.flat[len(found) :]:
        axis.set_visible(False)
    axes.flat[0].set_ylim(0, 1)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main() -> None:
    """Train what is asked for, and write the table and the plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the runs, the table and the plot")
    parser.add_argument("--steps", type=int, default=300_000, help="decisions of each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--only", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    options = parser.parse_args()
    runs = [(name, seed) for seed in options.seeds for name in options.only]
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda run: train(
            _folder(options.out, *run), options.steps, run[1], VARIANTS[run[0]]
        ), runs))  # fmt: skip
    found = {
        name: [read(_folder(options.out, name, seed)) for seed in options.seeds]
        for name in options.only
    }
    (options.out / "ablation.md").write_text(table(found, options.steps))
    plot(found, options.out / "ablation.png")
    print((options.out / "ablation.md").read_text())


def _folder(out: Path, name: str, seed: int) -> Path:
    return out / name.replace(" ", "-").replace(",", "") / str(seed)


if __name__ == "__main__":
    main()
