"""Train for a long time while a worker is killed every few minutes, and plot what happens.

    python scripts/experiments/cluster_soak.py OUT --minutes 60 --kill-every 120

OUT receives ``soak.csv`` with a row per second (time, agent steps, workers that are ready, memory
of the driver and of the workers), and ``soak.png``. Ray runs on this machine.
"""

from __future__ import annotations

import argparse
import csv
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from agents import PPOConfig
from mario.cluster.fleet import RayFleet
from mario.cluster.launch import cluster_session
from mario.cluster.trainer import ClusterTrainer
from mario.config.run_config import EvaluationConfig, TrainConfig
from mario.runs.train_config import train_config
from mario.training.callbacks import Callback
from mario.training.loop import TrainingStep

COLUMNS = ("seconds", "steps", "ready", "driver_mb", "workers_mb")
HYPER = PPOConfig(horizon=64, minibatches=4, epochs=2)


class Killer(Callback):
    """Kills one worker after another, and records what the run does.

    Args:
        folder: receives ``soak.csv``.
        kill_every: seconds between two kills.
        seconds: duration of the soak.
    """

    def __init__(self, folder: Path, kill_every: float, seconds: float) -> None:
        self._file = (folder / "soak.csv").open("w", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(COLUMNS)
        self._kill_every, self._seconds = kill_every, seconds
        self._start = time.monotonic()
        self._next_row, self._next_kill, self._kills = 0.0, kill_every, 0

    @property
    def complete(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() - self._start > self._seconds

    def on_step(self, step: TrainingStep) -> None:
        """Record a row, and kill a worker, if it is time."""
        now = time.monotonic() - self._start
        trainer = self.trainer
        assert isinstance(trainer, ClusterTrainer)
        assert isinstance(trainer.fleet, RayFleet)
        pids = trainer.fleet.pids
        if now >= self._next_row:
            self._next_row = now + 1
            memory = [_megabytes(pid) for pid in (os.getpid(), *pids)]
            self._rows.writerow(
                [f"{now:.1f}", trainer.steps, trainer.num_ready, memory[0], sum(memory[1:])]
            )
        if now >= self._next_kill and trainer.num_ready == len(pids):
            self._next_kill = now + self._kill_every
            os.kill(pids[self._kills % len(pids)], signal.SIGKILL)
            self._kills += 1

    def on_close(self) -> None:
        """Close the file."""
        self._file.close()


def _megabytes(pid: int) -> int:
    """Return the resident memory of a process, 0 if it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def plot(folder: Path) -> None:
    """Draw ``soak.png`` from ``soak.csv``."""
    with (folder / "soak.csv").open() as file:
        rows = [{name: float(row[name]) for name in COLUMNS} for row in csv.DictReader(file)]
    minutes = [row["seconds"] / 60 for row in rows]
    figure, axes = plt.subplots(3, sharex=True, figsize=(8, 7), layout="constrained")
    for axis, name, label in (
        (axes[0], "steps", "agent steps"), (axes[1], "ready", "workers that are ready"),
        (axes[2], "driver_mb", "driver"), (axes[2], "workers_mb", "workers"),
    ):  # fmt: skip
        axis.plot(minutes, [row[name] for row in rows], label=label)
        axis.legend()
    axes[2].set_xlabel("minutes")
    axes[2].set_ylabel("memory in MiB")
    figure.savefig(folder / "soak.png", dpi=100)
    plt.close(figure)


def config(folder: Path, workers: int) -> TrainConfig[Any]:
    """Return the configuration of the run."""
    base = train_config(
        game="SuperMarioBros-1-1-v0", agent="ppo", num_envs=4 * workers, save_dir=folder,
        tensorboard=False, episodes=10**9, steps=10**9,
    )  # fmt: skip
    return replace(
        base, hyper=HYPER, evaluation=EvaluationConfig(episodes=0), cluster="auto", workers=workers
    )


def main(arguments: Sequence[str]) -> None:
    """Run the soak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--kill-every", type=float, default=120.0, help="in seconds")
    parser.add_argument("--workers", type=int, default=2)
    flags = parser.parse_args(arguments)
    flags.out.mkdir(parents=True, exist_ok=True)
    killer = Killer(flags.out, flags.kill_every, 60 * flags.minutes)
    run = config(flags.out, flags.workers)
    with cluster_session(run, None, stop=lambda: False, callbacks=[killer]) as session:
        session.train()
    plot(flags.out)


if __name__ == "__main__":
    main(sys.argv[1:])
