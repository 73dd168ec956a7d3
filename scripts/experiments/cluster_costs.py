"""Measure what training with shared gradients costs on this machine, for ``cluster_model.py``.

    python scripts/experiments/cluster_costs.py COSTS.json [--workers 1 2 4] [--repeats 3]

It times the parts of a PPO update, and then trains in turns without a cluster and with real
workers. The parts are CPU times; the trainings are measured by the clock and by CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

sys.path.append(str(Path(__file__).parent))
from cluster_model import Costs

from agents import PPOConfig
from mario.cluster.gradients import combined
from mario.cluster.launch import cluster_session
from mario.cluster.workers.building import find_learner
from mario.cluster.workers.gradient_worker import GradientWorker
from mario.cluster.workers.messages import Gradients, Start, Weights, WorkerSetup
from mario.cluster.workers.tensors import flatten, load, unflatten
from mario.config.run_config import EvaluationConfig, TrainConfig
from mario.runs.train_config import train_config
from mario.system.threads import available_cores
from mario.training.session import Session

ENVS = 4
HYPER = PPOConfig(horizon=64, minibatches=4, epochs=2, precision="float32")
UPDATES, STEPS = HYPER.minibatches * HYPER.epochs, ENVS * HYPER.horizon
"""Updates, and agent steps of each worker, per round of learning."""


@dataclass(frozen=True)
class Rate:
    """Speed of a training in agent steps.

    Attributes:
        per_second: by the clock.
        per_cpu_second: by the CPU time of all its processes, which other programs on the machine
            hardly change.
    """

    per_second: float
    per_cpu_second: float


def config(folder: Path, workers: int, rounds: int) -> TrainConfig[Any]:
    """Return a run with the same number of environments per worker."""
    many = max(1, workers)
    base = train_config(
        game="SuperMarioBros-1-1-v0", agent="ppo", preset="mario-ppo", num_envs=ENVS * many,
        steps=STEPS * many * rounds, save_dir=folder, threads=1, tensorboard=False,
        save_seconds=1e6, episodes=None, seed=1,
    )  # fmt: skip
    return replace(
        base, hyper=HYPER, evaluation=EvaluationConfig(episodes=0),
        cluster="auto" if workers else None, workers=workers or None,
    )  # fmt: skip


def measure_parts() -> Costs:
    """Measure the costs of a worker and of the driver in this process, in CPU time."""
    with tempfile.TemporaryDirectory() as folder:
        run = config(Path(folder), 0, 1)
        setup = WorkerSetup(
            run.env_config, "ppo", HYPER, ENVS, 1,
            worker=0, num_workers=1, threads=1, folder=Path(folder),
        )  # fmt: skip
        worker = GradientWorker(setup)
        learner = find_learner(worker._agent)
        worker.start(Start(worker._agent.policy_state_dict(), 0))
        weights = Weights(0, flatten(learner.parameters)[0], {"loss": 0.0, "grad_norm": 0.0})
        play_seconds, gradients = _play_seconds(worker, weights)
        tensors = unflatten(gradients.values.copy(), gradients.layout)
        costs = Costs(
            play_seconds=play_seconds,
            load_seconds=_cpu_time(lambda: load(weights.values, learner.parameters))
            + _cpu_time(lambda: flatten(tensors)),
            add_seconds=_cpu_time(
                lambda: (
                    np.isfinite(gradients.values).all(),
                    combined([gradients] * 2, 2, "mean"),
                )
            )
            - _cpu_time(lambda: gradients.values.copy()),
            update_seconds=_cpu_time(lambda: learner.apply(tensors, {"loss": torch.tensor(0.0)}))
            + _cpu_time(lambda: flatten(learner.parameters)),
            message_bytes=gradients.values.nbytes,
            steps_per_update=STEPS / UPDATES,
            trained={},
            cores=available_cores(),
        )
        worker.close()
        return costs


def _play_seconds(worker: GradientWorker, weights: Weights) -> tuple[float, Gradients]:
    """Return the CPU time of a worker per update, without the first round, and a gradient."""
    start, updates = 0.0, 0
    for call in range(6 * (UPDATES + 1)):
        if call == UPDATES + 1:
            start = time.process_time()
        report = worker.advance(weights)
        if report.gradients is not None:
            gradients = report.gradients
            updates += start > 0
    return (time.process_time() - start) / updates, gradients


def train(workers: int, rounds: int) -> Rate:
    """Train, and return the speed after the first rounds."""
    marks: list[tuple[int, float, float]] = []

    def stop() -> bool:
        """Record the steps, the time and the CPU time so far; never stop."""
        pids = {os.getpid(), *getattr(getattr(session, "_fleet", None), "pids", [])}
        marks.append((session.trainer.steps, time.perf_counter(), _cpu_seconds(pids)))
        return False

    opened: Callable[..., AbstractContextManager[Session]] = cluster_session if workers else Session
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(config(Path(folder), workers, rounds), None, stop=stop) as session,
    ):
        session.train()
    warm = [mark for mark in marks if mark[0] >= 2 * STEPS * max(1, workers)]
    (steps, start, cpu), (last, end, last_cpu) = warm[0], warm[-1]
    return Rate((last - steps) / (end - start), (last - steps) / (last_cpu - cpu))


def _cpu_seconds(pids: set[int]) -> float:
    """Return the CPU time that processes, and Ray's processes on this machine, have used."""
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, _, fields = (folder / "stat").read_text().rpartition(")")
        except OSError:  # it has just ended
            continue
        if int(folder.name) in pids or name.endswith(("(raylet", "(gcs_server")):
            user, system = fields.split()[11:13]
            ticks += int(user) + int(system)
    return ticks / os.sysconf("SC_CLK_TCK")


def _cpu_time(function: Callable[[], object]) -> float:
    """Return the median CPU time of a function in seconds."""
    times = []
    for _ in range(15):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return median(times)


def main(arguments: Sequence[str]) -> None:
    """Measure the costs and write them to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("costs", type=Path, help="JSON file to write")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--rounds", type=int, default=12, help="rounds of learning per training")
    parser.add_argument("--repeats", type=int, default=3, help="trainings of each kind, in turns")
    flags = parser.parse_args(arguments)
    costs = measure_parts()
    counts = [0, *flags.workers]
    rates = [{count: train(count, flags.rounds) for count in counts} for _ in range(flags.repeats)]
    trained = {
        str(count): (
            median(each[count].per_second for each in rates),
            median(each[count].per_cpu_second for each in rates),
        )
        for count in counts
    }
    flags.costs.write_text(json.dumps(asdict(replace(costs, trained=trained)), indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
