"""Workloads: Stable-Baselines3's agents on the same game with the same wrappers.

They run in a separate environment that also sees this project's packages.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from child import Work

from mario.config.env_config import EnvConfig
from mario.vector.make import make_env

GAME = "SuperMarioBros-1-1-v0"


def _make(emulator: str) -> Any:
    return make_env(EnvConfig(GAME, "simple", emulator))


def dqn(emulator: str, buffer_size: int = 5_000, burnin: int = 300) -> Work:
    """Steps of DQN with the tutorial's settings: one environment, batch 32 every 3 steps."""
    from stable_baselines3 import DQN

    model = DQN(
        "CnnPolicy", partial(_make, emulator)(), buffer_size=buffer_size, learning_starts=burnin,
        batch_size=32, train_freq=3, learning_rate=2.5e-4, gamma=0.9, device="auto",
    )  # fmt: skip
    yield from train_steps(model, warm_up=burnin + 30, steps=30)


def ppo(emulator: str, num_envs: int = 8) -> Work:
    """Steps of PPO: rollouts of 128 steps per environment, 4 epochs, batch 256."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import SubprocVecEnv

    envs = SubprocVecEnv([partial(_make, emulator)] * num_envs)
    model = PPO(
        "CnnPolicy", envs, n_steps=128, batch_size=256, n_epochs=4, gamma=0.9, device="auto"
    )
    yield from train_steps(model, warm_up=1, steps=128 * num_envs)


def train_steps(model: Any, warm_up: int, steps: int) -> Work:
    """Training steps of a model, ``steps`` per yield, after ``warm_up`` steps."""
    next_steps = warm_up
    while True:
        before = model.num_timesteps
        model.learn(next_steps, reset_num_timesteps=False)
        next_steps = steps
        yield {"steps": model.num_timesteps - before}
