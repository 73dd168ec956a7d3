"""Train an agent of Stable-Baselines3 on Mario and evaluate it as `mario-train` does.

    .venv/bench/bin/python scripts/benchmarks/contenders/train_sb3.py OUT {dqn,ppo} [--minutes 30]

Observations and rewards are those of this project's agents, on the same emulator. The
hyperparameters are those of RL Baselines3 Zoo for Atari, except for the discount, PPO's schedules
and a shorter start of DQN. The metrics that `mario-train` writes go to OUT. `peers.py` runs this
script with an interpreter that has both packages.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
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
from mario.training.trainer import episode_record
from mario.vector.make import make_env, make_vector_env

NEVER = 10**9
"""More steps than any run makes."""


class Sb3Agent:
    """A model of Stable-Baselines3 with the interface that an evaluation needs."""

    training = False

    def __init__(self, model: BaseAlgorithm) -> None:
        self._model = model

    def train(self, mode: bool) -> None:
        """Do nothing: predictions are always deterministic."""

    def act(self, states: Any) -> Any:
        """Return the greedy action of each environment."""
        return self._model.predict(states, deterministic=True)[0]

    def carry_recurrent_state(self, indices: Any) -> None:
        """Do nothing: the policy is not recurrent."""


class EvaluationCallback(BaseCallback):  # type: ignore[misc] # not installed where types are checked
    """Log episodes and evaluations as `mario-train` does, and stop when the time is up."""

    def __init__(
        self, logger: MetricLogger, evaluator: Evaluator, every: float, seconds: float
    ) -> None:
        super().__init__()
        self._metrics, self._evaluator = logger, evaluator
        self._every, self._time_limit, self._last_evaluation = every, seconds, 0.0
        self._episodes = 0

    def _on_step(self) -> bool:
        done = np.flatnonzero(self.locals["dones"]).tolist()
        for index in done:
            self._episodes += 1
            info = self.locals["infos"][index]
            record = episode_record(info, self._episodes, self.num_timesteps, index)
            self._metrics.log_episode(record)
        over = self._metrics.seconds >= self._time_limit
        if over or self._metrics.seconds >= self._last_evaluation + self._every:
            self._evaluator.evaluate(cast(Agent, Sb3Agent(self.model)), self.num_timesteps)
            assert self._evaluator.latest is not None
            self._metrics.log_evaluation(self._evaluator.latest.to_dict())
            self._last_evaluation = self._metrics.seconds
        return not over


def make_model(name: str, envs: DummyVecEnv, seed: int) -> BaseAlgorithm:
    """Create a model with the hyperparameters described above."""
    if name == "dqn":
        return DQN(
            "CnnPolicy", envs, learning_rate=1e-4, buffer_size=100_000, batch_size=32,
            learning_starts=5_000, train_freq=4, target_update_interval=1_000, gamma=0.95,
            exploration_fraction=50_000 / NEVER, exploration_final_eps=0.01, seed=seed,
        )  # fmt: skip
    return PPO(
        "CnnPolicy", envs, learning_rate=2.5e-4, n_steps=128, n_epochs=4, batch_size=256,
        clip_range=0.1, ent_coef=0.01, vf_coef=0.5, gamma=0.9, seed=seed,
    )  # fmt: skip


def main() -> None:
    """Train until the time is up."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="output folder for the metrics")
    parser.add_argument("agent", choices=("dqn", "ppo"))
    parser.add_argument("--minutes", type=float, default=30, help="training time in minutes")
    parser.add_argument("--every", type=float, default=2, help="minutes between evaluations")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2, help="threads of torch")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    config, _ = read_flags(
        ["--preset", "mario", "--emulator", "native", "--start-curriculum.probability", "0"]
    )
    make = partial(make_env, config.env_config)
    envs = DummyVecEnv([make] * (8 if options.agent == "ppo" else 1))
    evaluation = config.evaluation
    logger = MetricLogger(options.out, envs.num_envs, (), tensorboard=False)
    evaluator = Evaluator(
        evaluation,
        lambda game, seed, episodes: make_vector_env(
            replace(config.env_config, game=game).for_evaluation(evaluation.noop_max),
            num_envs=evaluation.episodes, seed=seed, stratified_episodes=episodes,
        ),
        games=[config.game], seed=options.seed, emulator="native", elapsed=lambda: logger.seconds,
    )  # fmt: skip
    callback = EvaluationCallback(logger, evaluator, options.every * 60, options.minutes * 60)
    make_model(options.agent, envs, options.seed).learn(NEVER, callback=callback)
    logger.close()


if __name__ == "__main__":
    main()
