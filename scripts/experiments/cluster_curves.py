"""Compare what agents learn over two workers with what they learn without a cluster.

    python scripts/experiments/cluster_curves.py OUT [--pong-steps N] [--mario-steps N]

REINFORCE on Pong and PPO on World 1-1 are trained with each seed, once without a cluster and once
with ``--cluster auto --workers 2``, for the same number of agent steps. All hyperparameters are the
same. Repeat the command to continue after an interruption, or with more steps. OUT receives the run
folders, ``curves.csv`` with a row per episode, ``curves.md`` and ``curves.png``, which cover all
runs that are complete.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import subprocess
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import matplotlib

sys.path.append(str(Path(__file__).parents[1] / "figures"))
import scores

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from mario.system.files import write_atomically

# fmt: off
ALGORITHMS: dict[str, list[str]] = {
    "REINFORCE on Pong": [
        "--agent", "reinforce", "--game", "ALE/Pong-v5", "--num-envs", "8",
        "--hyper.learning-rate", "0.001", "--hyper.batch-episodes", "4",
    ],
    "PPO on World 1-1": [
        "--agent", "ppo", "--game", "SuperMarioBros-1-1-v0", "--num-envs", "8",
        "--hyper.horizon", "128", "--hyper.minibatches", "8", "--hyper.epochs", "3",
        "--hyper.hidden-size", "128",
    ],
}
# fmt: on
"""Flags of ``mario-train`` for each algorithm; its preset is the default one of the agent. Fewer
samples per update than in the preset make the agents learn earlier."""

CLUSTER = ("--cluster", "auto", "--workers", "2")
COLUMNS = ("algorithm", "seed", "cluster", "steps", "mean return of the latest 100 episodes")
HEADS = ("algorithm", "steps", "seed", "first 100 episodes", "last 100, no cluster", "2 workers")
COMPLETE = "complete"
"""File in the folder of a run with the number of steps up to which it is complete."""


@dataclass(frozen=True)
class Run:
    """A run of the comparison.

    Attributes:
        algorithm: key of `ALGORITHMS`.
        steps: agent steps.
        seed: seed of the run.
        cluster: whether it is trained over a cluster.
    """

    algorithm: str
    steps: int
    seed: int
    cluster: bool

    @property
    def folder(self) -> Path:
        """Folder of the run, relative to that of the comparison."""
        place = "cluster" if self.cluster else "alone"
        return Path(self.algorithm.replace(" ", "-"), str(self.seed), place)

    def is_complete(self, out: Path) -> bool:
        """Return whether the run is complete."""
        file = out / self.folder / COMPLETE
        return file.exists() and int(file.read_text()) == self.steps

    def command(self, folder: Path) -> list[str]:
        """Return the command that trains the run, or that resumes it if it has started."""
        flags = ["--steps", str(self.steps), "--threads", "1"]
        if started := _started(folder):
            flags += ["--resume", str(started[-1])]
        else:
            flags += [
                *ALGORITHMS[self.algorithm], *(CLUSTER if self.cluster else ()),
                "--seed", str(self.seed), "--save-dir", str(folder),
                "--evaluation.episodes", "0", "--no-tensorboard",
            ]  # fmt: skip
        return [str(Path(sys.executable).with_name("mario-train")), *flags]


def _started(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob("*/config.yaml"))


def train(run: Run, out: Path) -> None:
    """Train a run until it is complete; it may have been started before.

    Raises:
        SystemExit: training failed.
    """
    folder = out / run.folder
    if run.is_complete(out):
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "console").open("a") as console:
        code = subprocess.run(run.command(folder), stdout=console, stderr=console).returncode
    if code:
        raise SystemExit(f"training failed with exit code {code}; see {console.name}")
    # another thread may read the file at any moment
    write_atomically(folder / COMPLETE, lambda file: file.write(str(run.steps).encode()))


def read(runs: Iterable[Run], out: Path) -> dict[Run, scores.Scores]:
    """Return the scores of all runs that are complete."""
    return {
        run: scores.read_scores(_started(out / run.folder)[-1], run.algorithm)
        for run in runs
        if run.is_complete(out)
    }


def format_csv(curves: dict[Run, scores.Scores]) -> str:
    """Return the curves as CSV, with a row per episode."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for run, curve in curves.items():
        for steps, mean in zip(curve.steps.tolist(), curve.means.tolist(), strict=True):
            writer.writerow([run.algorithm, run.seed, int(run.cluster), steps, f"{mean:.3f}"])
    return text.getvalue()


def format_table(curves: dict[Run, scores.Scores]) -> str:
    """Return a Markdown table with a line per algorithm and seed."""
    lines = [f"| {' | '.join(HEADS)} |", f"|{'---|' * 3}{'--:|' * 3}"]
    for run in dict.fromkeys(Run(each.algorithm, each.steps, each.seed, False) for each in curves):
        pair = [
            curves.get(Run(run.algorithm, run.steps, run.seed, place)) for place in (False, True)
        ]
        first = [f"{curve.means[: scores.WINDOW][-1]:,.1f}" for curve in pair if curve is not None]
        last = [f"{curve.means[-1]:,.1f}" if curve is not None else "-" for curve in pair]
        cells = [run.algorithm, f"{run.steps:,}", str(run.seed), " and ".join(first), *last]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def plot(curves: dict[Run, scores.Scores], path: Path) -> None:
    """Plot the mean returns over the steps, in a panel per algorithm."""
    figure, axes = plt.subplots(1, len(ALGORITHMS), figsize=(10, 3.6), layout="constrained")
    for axis, algorithm in zip(axes, ALGORITHMS, strict=True):
        axis.set(title=algorithm, xlabel="thousand steps")
        axis.grid(alpha=0.3)
        for run, curve in curves.items():
            if run.algorithm == algorithm:
                axis.plot(
                    curve.steps / 1000, curve.means,
                    color=f"C{int(run.cluster)}", linestyle=("-", "--", ":", "-.")[run.seed % 4],
                    label=f"{'2 workers' if run.cluster else 'no cluster'}, seed {run.seed}",
                )  # fmt: skip
    axes[0].set_ylabel(f"return, mean of {scores.WINDOW} episodes")
    axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def write(curves: dict[Run, scores.Scores], out: Path) -> None:
    """Write the curves, the table and the picture, and print the table."""
    rows, table = format_csv(curves), format_table(curves)
    write_atomically(out / "curves.csv", lambda file: file.write(rows.encode()))
    write_atomically(out / "curves.md", lambda file: file.write(table.encode()))
    plot(curves, out / "curves.png")
    print(table, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the runs that are missing, and write the results after each of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--pong-steps", type=int, default=500_000)
    parser.add_argument("--mario-steps", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--jobs", type=int, default=1, help="number of parallel runs")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    steps = dict(zip(ALGORITHMS, (options.pong_steps, options.mario_steps), strict=True))
    runs = [
        Run(algorithm, steps[algorithm], seed, cluster)
        for seed, algorithm, cluster in itertools.product(options.seeds, steps, (False, True))
    ]
    with ThreadPoolExecutor(options.jobs) as pool:
        for _ in pool.map(lambda run: train(run, options.out), runs):
            write(read(runs, options.out), options.out)


if __name__ == "__main__":
    main()
