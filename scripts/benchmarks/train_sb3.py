"""Trains one of Stable-Baselines3's agents on Mario, and tests it as `mario-train` tests ours.

    .venv/bench/bin/python scripts/benchmarks/train_sb3.py OUT {dqn,ppo} --minutes 30 [--seed 0]

It sees and earns what our agents do, on our emulator; its constants are those of RL Baselines3 Zoo
for Atari, but the discount, PPO's schedules and, for DQN, a start that fits half an hour. OUT gets
what `mario-train` writes of a run's metrics. `peers.py` calls this, with a Python that has both.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv

from agents import Agent
from mario.commands.train import read_flags
from mario.evaluation.evaluator import Evaluator
from mario.metrics.logger import MetricLogger
from mario.training.trainer import record_of
from mario.vector.make import make_env, make_vector_env

NEVER = 10**9
"""Decisions of which no run makes as many."""


class Player:
    """One of their models, as far as an evaluation asks for an agent."""

    training = False

    def __init__(self, model: BaseAlgorithm) -> None:
        self._model = model

    def train(self, mode: bool) -> None:
        """Nothing to switch: prediction is deterministic anyway."""

    def act(self, states: Any) -> Any:
        """The action that it holds best, of each game."""
        return self._model.predict(states, deterministic=True)[0]

    def carry_recurrent_state(self, places: Any) -> None:
        """Nothing to carry: it has no memory of earlier states."""


class Watch(BaseCallback):  # type: ignore[misc] # it is not installed where types are checked
    """Logs episodes and evaluations as a run of ours does, and stops when time is up."""

    def __init__(
        self, logger: MetricLogger, evaluator: Evaluator, every: float, seconds: float
    ) -> None:
        super().__init__()
        self._metrics, self._examiner = logger, evaluator
        self._every, self._left, self._examined = every, seconds, 0.0
        self._episodes = 0

    def _on_step(self) -> bool:
        done = np.flatnonzero(self.locals["dones"]).tolist()
        for game in done:
            self._episodes += 1
            info = self.locals["infos"][game]
            self._metrics.log_episode(record_of(info, self._episodes, self.num_timesteps, game))
        over = self._metrics.seconds >= self._left
        if over or self._metrics.seconds >= self._examined + self._every:
            self._examiner.examine(cast(Agent, Player(self.model)), self.num_timesteps)
            assert self._examiner.latest is not None
            self._metrics.log_evaluation(self._examiner.latest.to_dict())
            self._examined = self._metrics.seconds
        return not over


def make_model(name: str, games: DummyVecEnv, seed: int) -> BaseAlgorithm:
    """One of their agents, with the constants that are said above."""
    if name == "dqn":
        return DQN(
            "CnnPolicy", games, learning_rate=1e-4, buffer_size=100_000, batch_size=32,
            learning_starts=5_000, train_freq=4, target_update_interval=1_000, gamma=0.95,
            exploration_fraction=50_000 / NEVER, exploration_final_eps=0.01, seed=seed,
        )  # fmt: skip
    return PPO(
        "CnnPolicy", games, learning_rate=2.5e-4, n_steps=128, n_epochs=4, batch_size=256,
        clip_range=0.1, ent_coef=0.01, vf_coef=0.5, gamma=0.9, seed=seed,
    )  # fmt: skip


def main() -> None:
    """Train until the time is over."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the metrics")
    parser.add_argument("agent", choices=("dqn", "ppo"))
    parser.add_argument("--minutes", type=float, default=30, help="of training")
    parser.add_argument("--every", type=float, default=2, help="minutes between two evaluations")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2, help="of torch")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    config, _ = read_flags(["--preset", "mario", "--wrappers.revisit", "0"])
    see = config.wrappers
    make = partial(make_env, config.game, config.actions, "native", see)
    games = DummyVecEnv([make] * (8 if options.agent == "ppo" else 1))
    evaluation = config.evaluation
    logger = MetricLogger(options.out, games.num_envs, (), tensorboard=False)
    evaluator = Evaluator(
        evaluation,
        lambda seed: make_vector_env(
            config.game, config.actions, "native", see.with_noops(evaluation.noop_max),
            num_envs=evaluation.episodes, seed=seed, even=True,
        ),
        game=config.game, seed=options.seed, emulator="native", elapsed=lambda: logger.seconds,
    )  # fmt: skip
    watch = Watch(logger, evaluator, options.every * 60, options.minutes * 60)
    make_model(options.agent, games, options.seed).learn(NEVER, callback=watch)
    logger.close()


if __name__ == "__main__":
    main()
