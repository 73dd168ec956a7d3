"""Training runs that take a second, for tests on the real program."""

from __future__ import annotations

from pathlib import Path

from agents import DDQNConfig, PPOConfig, REINFORCEConfig
from mario.config.run_config import EvaluationConfig, TrainConfig
from mario.training.session import Session

AGENTS = {
    "ddqn": DDQNConfig(
        replay_capacity=300, burnin=60, learn_every=8, batch_size=8, sync_every=100, n_step=2,
    ),
    "ppo": PPOConfig(horizon=16, minibatches=2, epochs=2, hidden_size=32, schedule_steps=400),
    "reinforce": REINFORCEConfig(batch_episodes=1),
}  # fmt: skip


def config(folder: Path, agent: str = "ddqn", steps: int = 120, **changes) -> TrainConfig:
    """Return the configuration of a run on the native emulator, without evaluations."""
    return TrainConfig(**{
        "hyper": AGENTS[agent], "agent": agent, "steps": steps, "save_dir": folder, "seed": 3,
        "log_every": 1, "actions": "simple", "save_seconds": 3600, "tensorboard": False,
        "num_envs": 2, "evaluation": EvaluationConfig(episodes=0),
    } | changes)  # fmt: skip


def train(config: TrainConfig, resume: Path | None = None, stop=lambda: False) -> Path:
    """Train, and return the run folder."""
    with Session(config, resume, stop=stop) as session:
        session.train()
        return session.run.path
