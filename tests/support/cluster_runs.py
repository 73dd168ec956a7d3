"""Small runs over a cluster, and comparisons of what they have learned."""

from __future__ import annotations

import csv

import torch
from in_process_fleet import InProcessFleet

from agents import DDQNConfig, PPOConfig, REINFORCEConfig
from mario.cluster.session import ClusterSession
from mario.cluster.workers.gradient_worker import GradientWorker
from mario.config.run_config import EvaluationConfig, TrainConfig
from mario.runs.checkpoint import load
from mario.training.session import Session

HYPER = {
    "ddqn": DDQNConfig(
        replay_capacity=400, burnin=60, learn_every=8, batch_size=8, sync_every=100, n_step=2,
        hidden_size=16, exploration_decay=0.998, weight_average_updates=16, priority_alpha=0.5,
        max_grad_norm=0.5, precision="float32",
    ),
    "ppo": PPOConfig(
        horizon=16, minibatches=2, epochs=2, hidden_size=16, schedule_steps=200,
        precision="float32",
    ),
    "reinforce": REINFORCEConfig(batch_episodes=2, hidden_size=16),
}  # fmt: skip


def config(folder, agent="ppo", *, workers=None, **changes):
    """Return the configuration of a small run on the real game."""
    steps = 700 if agent == "reinforce" else 220  # it learns only from whole episodes
    values = {
        "hyper": HYPER[agent], "agent": agent, "num_envs": 4, "steps": steps, "seed": 11,
        "save_dir": folder, "log_every": 1, "actions": "simple", "save_seconds": 3600.0,
        "tensorboard": False, "save_every": 10**6, "threads": 1,
        "evaluation": EvaluationConfig(episodes=0),
        "cluster": None if workers is None else "auto", "workers": workers,
    }  # fmt: skip
    return TrainConfig(**values | changes)


def train_locally(config):
    """Train without a cluster and return the run folder."""
    with Session(config, None, stop=lambda: False) as session:
        session.train()
        return session.run.path


def open_session(config, resume=None, make_worker=GradientWorker, **kwargs):
    """Open a session whose workers live in this process."""
    fleet = InProcessFleet(make_worker, config.workers)
    return ClusterSession(config, resume, fleet=fleet, **{"stop": lambda: False} | kwargs)


def train_in_process(config, resume=None, make_worker=GradientWorker, **kwargs):
    """Train with workers in this process and return the run folder."""
    with open_session(config, resume, make_worker, **kwargs) as session:
        session.train()
        return session.run.path


def learned(run):
    """Return the weights and the optimizer state of the last checkpoint as a list of tensors."""
    checkpoint = load(run / "last.chkpt")
    optimizer = checkpoint["resume"]["agent"]["learner"]["optimizer"]["state"]
    tensors = list(checkpoint["model"].values())
    for state in optimizer.values():
        tensors += [value for value in state.values() if isinstance(value, torch.Tensor)]
    return tensors


def same(one, other):
    """Return whether two lists of tensors are equal, and not empty."""
    return len(one) == len(other) > 0 and all(map(torch.equal, one, other))


def episodes(run):
    """Return the rows of metrics.csv without the time."""
    rows = list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]
