"""Training runs on the real game whose end is compared bit for bit."""

from __future__ import annotations

from run_comparison import run_differences

from agents import DDQNConfig, PPOConfig
from mario.config.run_config import EvaluationConfig, TrainConfig
from mario.training.session import Session

DDQN = DDQNConfig(
    replay_capacity=300, burnin=60, learn_every=8, batch_size=8, sync_every=100, n_step=2,
    exploration_decay=0.998,
)  # fmt: skip
PPO = PPOConfig(
    horizon=16, minibatches=2, epochs=2, hidden_size=32, lstm_size=16, schedule_steps=400,
)  # fmt: skip


def config(folder, *, num_envs=1, steps=400, **changes):
    return TrainConfig(
        **{"hyper": DDQN} | changes,
        num_envs=num_envs, steps=steps, save_dir=folder, seed=11, log_every=1,
        actions="simple", save_seconds=3600, tensorboard=False, save_every=10**6,
        evaluation=EvaluationConfig(episodes=0),
    )  # fmt: skip


def train(config, resume=None, stop=lambda session: False):
    with Session(config, resume, stop=lambda: stop(session)) as session:
        session.train()
        return session.run.path


def assert_same_run(one, other):
    assert run_differences(one, other) == []
