"""Work: Stable-Baselines3's agents on the same game, through the same wrappers.

Runs in an environment of its own, which sees what is installed in ours.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from child import Work

from mario.vector.make import make_env
from wrappers import WrapperConfig

GAME = "SuperMarioBros-1-1-v0"


def _make(emulator: str) -> Any:
    return make_env(GAME, "simple", emulator, WrapperConfig())


def dqn(emulator: str, memory: int = 5_000, burnin: int = 300) -> Work:
    """Decisions of its DQN at the tutorial's setting: one game, batch 32 every 3 decisions."""
    from stable_baselines3 import DQN

    model = DQN(
        "CnnPolicy", partial(_make, emulator)(), buffer_size=memory, learning_starts=burnin,
        batch_size=32, train_freq=3, learning_rate=2.5e-4, gamma=0.9, device="auto",
    )  # fmt: skip
    yield from learned(model, first=burnin + 30, each=30)


def ppo(emulator: str, num_envs: int = 8) -> Work:
    """Decisions of its PPO: rollouts of 128 decisions of each game, 4 epochs, batch 256."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import SubprocVecEnv

    games = SubprocVecEnv([partial(_make, emulator)] * num_envs)
    model = PPO(
        "CnnPolicy", games, n_steps=128, batch_size=256, n_epochs=4, gamma=0.9, device="auto"
    )
    yield from learned(model, first=1, each=128 * num_envs)


def learned(model: Any, first: int, each: int) -> Work:
    """Decisions of a model, ``each`` at a time, after ``first`` to warm up."""
    steps = first
    while True:
        before = model.num_timesteps
        model.learn(steps, reset_num_timesteps=False)
        steps = each
        yield {"decisions": model.num_timesteps - before}
