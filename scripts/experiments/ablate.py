"""Measure what each part of the preset ``mario`` is worth, by changing one part at a time.

    python scripts/experiments/ablate.py OUT RUNS --steps 100000 --seeds 0 1 [--only preset ...]

Every variant is trained for the same number of steps with each seed, in a process with one thread;
``--jobs`` of them run in parallel. Repeat the command to continue after an interruption. RUNS
receives the run folders. OUT receives ``outcomes.json``, ``ablation.md`` and ``ablation.png``,
which cover all runs so far: once a run is in ``outcomes.json``, it is not trained again, and its
folder can be deleted.
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

import matplotlib

sys.path.append(str(Path(__file__).parents[1] / "figures"))
import curves

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from mario.system.files import write_atomically

BASELINE = "preset"
# fmt: off
VARIANTS: dict[str, list[str]] = {
    BASELINE: [],
    "grayscale": ["--wrappers.observation", "gray"],
    "status bar visible": ["--wrappers.crop-top", "0"],
    "grayscale, status bar visible": [
        "--wrappers.observation", "gray", "--wrappers.crop-top", "0",
    ],
    "previous action not drawn": ["--wrappers.no-show-action"],
    "sticky actions": ["--wrappers.repeat-action-probability", "0.25"],
    "start curriculum: latest loss only": ["--start-curriculum.farthest-probability", "0"],
    "start curriculum: probability 0.9": ["--start-curriculum.probability", "0.9"],
    "no start curriculum": ["--start-curriculum.probability", "0"],
    "uniform replay": ["--hyper.priority-alpha", "0"],
    "no dueling heads": ["--hyper.no-dueling"],
    "no double Q-learning": ["--hyper.no-double-q"],
    "no weight averaging": ["--hyper.weight-average-updates", "0"],
    "features shared with the target network": ["--hyper.no-separate-target"],
    "1-step returns": ["--hyper.n-step", "1"],
    "3-step returns": ["--hyper.n-step", "3"],
    "10-step returns": ["--hyper.n-step", "10"],
    "epsilon 0.05 in all environments": [
        "--hyper.exploration-apex-base", "0", "--hyper.exploration-min", "0.05",
    ],
    "no action repeat": ["--hyper.exploration-action-repeat", "1"],
    "no ending rewards": ["--ending-reward.success", "0", "--ending-reward.failure", "0"],
    "rewards not scaled": ["--wrappers.reward-scale", "1"],
    "gamma 0.9": ["--hyper.gamma", "0.9"],
    "gamma 0.99": ["--hyper.gamma", "0.99"],
    "constant learning rate 1e-4": [
        "--hyper.learning-rate", "0.0001", "--hyper.learning-rate-end", "None",
    ],
    "constant learning rate 5e-4": ["--hyper.learning-rate-end", "None"],
    "float32": ["--hyper.precision", "float32"],
    "target sync every 4,000 updates": ["--hyper.sync-every", "32000"],
    "batch 128, half as often": ["--hyper.batch-size", "128", "--hyper.learn-every", "16"],
    "batch 32, twice as often": ["--hyper.batch-size", "32", "--hyper.learn-every", "4"],
    "4 samples per step": ["--hyper.learn-every", "16"],
    "random shifts of 4 pixels": ["--hyper.random-shift", "4"],
    "96 x 96 pixels": ["--wrappers.size", "96"],
    "no background": ["--game", "SuperMarioBros-1-1-v1"],
    "7 actions": ["--actions", "simple"],
    "no random starts": ["--wrappers.noop-max", "0"],
    "256 hidden units": ["--hyper.hidden-size", "256"],
}
# fmt: on
"""Flags of ``mario-train`` for each variant."""
FINAL_FRACTION = 0.25
"""Part of a run, at its end, over which the distance is averaged."""


@dataclass(frozen=True)
class Outcome:
    """The result of one run.

    Attributes:
        variant: Name of the variant.
        seed: Seed of the run.
        steps: Steps at each evaluation.
        rates: Clear rate of each evaluation.
        final_training_rate: Clear rate in training at the end, see
            `curves.Curve.final_training_rate`.
        final_distance: Mean of the greatest x position in the training episodes at the end.
        first_flag: Steps until a training episode first cleared the level, None if none did. This
            and ``final_distance`` only count episodes from the start of the level.
        hours: Duration of the training.
    """

    variant: str
    seed: int
    steps: list[int]
    rates: list[float]
    final_training_rate: float
    final_distance: float
    first_flag: int | None
    hours: float


def train(folder: Path, steps: int, seed: int, flags: Sequence[str]) -> None:
    """Train a run in a folder, or resume it, up to the given number of steps."""
    command = [str(Path(sys.executable).with_name("mario-train"))]
    started = sorted(folder.glob("*/config.yaml"))
    if started:
        command += ["--resume", str(started[-1].parent)]
    else:
        command += ["--preset", "mario", "--save-dir", str(folder), "--seed", str(seed), *flags]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "console").open("a") as console:
        subprocess.run(
            [*command, "--steps", str(steps), "--threads", "1", "--no-tensorboard"],
            stdout=console, stderr=console, check=True,
        )  # fmt: skip


def read_outcome(folder: Path, variant: str, seed: int) -> Outcome:
    """Read the outcome of the run in a folder."""
    (run,) = (path.parent for path in folder.glob("*/config.yaml"))
    curve, episodes = curves.read_curve(run, variant), curves.read_rows(run / "metrics.csv")
    first_step = (1 - FINAL_FRACTION) * int(episodes[-1]["step"])
    distances = [
        float(row["best_x"])
        for row in episodes
        if row["start_offset"] == "0" and int(row["step"]) > first_step
    ]
    return Outcome(
        variant=variant,
        seed=seed,
        steps=curve.steps,
        rates=curve.rates,
        final_training_rate=curve.final_training_rate,
        final_distance=statistics.fmean(distances),
        first_flag=curve.first_flag[0] if curve.first_flag else None,
        hours=float(episodes[-1]["seconds"]) / 3600,
    )


class OutcomeFile:
    """The outcomes of all runs, in a JSON file.

    Args:
        path: The file; it need not exist yet.
        steps: Steps of each run.

    Raises:
        SystemExit: The file has outcomes of runs with another number of steps.
    """

    def __init__(self, path: Path, steps: int) -> None:
        self._path, self._steps = path, steps
        self.outcomes: list[Outcome] = []
        if path.exists():
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["steps"] != steps:
                raise SystemExit(
                    f"{path} has runs of {content['steps']:,} steps, got --steps {steps}; "
                    f"give --steps {content['steps']}"
                )
            self.outcomes = [Outcome(**outcome) for outcome in content["outcomes"]]

    def has(self, variant: str, seed: int) -> bool:
        """Return whether the outcome of a run is known."""
        return any((known.variant, known.seed) == (variant, seed) for known in self.outcomes)

    def add(self, outcome: Outcome) -> None:
        """Add an outcome and write the file."""
        order = {name: index for index, name in enumerate(VARIANTS)}
        self.outcomes = sorted(
            [*self.outcomes, outcome],
            key=lambda known: (order.get(known.variant, len(order)), known.seed),
        )
        content = {"steps": self._steps, "outcomes": [asdict(known) for known in self.outcomes]}
        text = json.dumps(content, indent=1) + "\n"
        write_atomically(self._path, lambda file: file.write(text.encode()))

    def by_variant(self) -> dict[str, list[Outcome]]:
        """Return the outcomes of each variant, sorted by seed."""
        groups: dict[str, list[Outcome]] = {}
        for outcome in self.outcomes:
            groups.setdefault(outcome.variant, []).append(outcome)
        return groups


def format_table(groups: dict[str, list[Outcome]], steps: int) -> str:
    """Return a Markdown table of all variants, the best first."""
    lines = [
        f"World 1-1, {steps:,} steps, one thread. Each cell has a value per seed.\n",
        "| variant | first flag (thousand steps) | best clear rate "
        "| final clear rate in training | final distance | hours |",
        "|---|---|---|---|---|---|",
    ]
    ranked = sorted(
        groups.items(),
        key=lambda group: -statistics.fmean(run.final_training_rate for run in group[1]),
    )
    for name, runs in ranked:
        cells = (
            ["-" if run.first_flag is None else f"{run.first_flag / 1000:.0f}" for run in runs],
            [f"{max(run.rates):.0%}" for run in runs],
            [f"{run.final_training_rate:.0%}" for run in runs],
            [f"{run.final_distance:.0f}" for run in runs],
            [f"{run.hours:.2f}" for run in runs],
        )
        lines.append(" | ".join([f"| {name}", *(" / ".join(cell) for cell in cells)]) + " |")
    return "\n".join(lines) + "\n"


def plot(groups: dict[str, list[Outcome]], path: Path) -> None:
    """Plot the clear rate over the steps, each variant beside the baseline."""
    columns = min(4, len(groups))
    rows = -(-len(groups) // columns)
    size = 4 * columns, 0.4 + 2.6 * rows
    figure, axes = plt.subplots(
        rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    for axis, (name, runs) in zip(axes.flat, groups.items(), strict=False):
        for label, color in ((BASELINE, "0.7"), (name, "C0")):
            for run in groups.get(label, []):
                axis.plot([step / 1000 for step in run.steps], run.rates, ".-", color=color)
        axis.set_title(f"{name}, {len(runs)} seeds", fontsize=10)
    figure.supxlabel("thousand steps")
    figure.supylabel("clear rate")
    for axis in axes.flat[len(groups) :]:
        axis.set_visible(False)
    axes.flat[0].set_ylim(0, 1)
    figure.savefig(path, dpi=100)
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the runs that are missing, and write the table and the plot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the outcomes, the table and the plot")
    parser.add_argument("runs", type=Path, help="folder of the runs")
    parser.add_argument("--steps", type=int, default=100_000, help="steps of each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--only", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--jobs", type=int, default=2, help="number of parallel runs")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    file = OutcomeFile(options.out / "outcomes.json", options.steps)

    def run(variant: str, seed: int) -> Outcome:
        """Train a run and return its outcome."""
        name = variant.replace(" ", "-").replace(",", "").replace(":", "")
        folder = options.runs / name / str(seed)
        train(folder, options.steps, seed, VARIANTS[variant])
        return read_outcome(folder, variant, seed)

    missing = [
        (name, seed) for name in options.only for seed in options.seeds if not file.has(name, seed)
    ]
    with ThreadPoolExecutor(options.jobs) as pool:
        for outcome in pool.map(lambda pair: run(*pair), missing):
            file.add(outcome)
    groups = file.by_variant()
    table = format_table(groups, options.steps)
    (options.out / "ablation.md").write_text(table, encoding="utf-8")
    plot(groups, options.out / "ablation.png")
    print(table)


if __name__ == "__main__":
    main()
