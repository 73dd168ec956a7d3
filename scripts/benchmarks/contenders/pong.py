"""Workloads: learning Pong with this project's and Stable-Baselines3's agents of equal size.

Stable-Baselines3 runs in a separate environment that also sees this project's packages.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from child import Work

from contenders.sb3 import train_steps
from mario.commands.train import read_flags
from mario.runs.agent_factory import make_agent
from mario.system.threads import spare_cores
from mario.training.loop import play
from mario.vector.make import make_vector_env

GAME = "PongNoFrameskip-v4"
NUM_ENVS = 8
WARM_UP_STEPS = 2_000
"""Steps before DQN learns; PPO warms up for as long."""
DQN = (
    "--preset", "breakout", "--hyper.batch-size", "32", "--hyper.learn-every", "4",
    "--hyper.replay-capacity", "20000", "--hyper.burnin", str(WARM_UP_STEPS), "--hyper.n-step", "1",
    "--hyper.priority-alpha", "0", "--hyper.no-dueling", "--hyper.separate-target",
    "--hyper.no-double-q",  # Stable-Baselines3 has no double DQN
    # as in Stable-Baselines3; random actions need no forward pass
    "--hyper.exploration-schedule", "0", "0.01", "1", "0.01",
)  # fmt: skip
FLAGS = {"dqn": DQN, "ppo": ("--preset", "atari-ppo2"), "reinforce": ("--preset", "pong-karpathy")}


def ours(algorithm: str) -> Work:
    """Steps of this project's agent, yielded after every update (rollout or episode).

    Args:
        algorithm: ``"dqn"``, ``"ppo"`` or ``"reinforce"``.
    """
    game = () if algorithm == "reinforce" else ("--game", GAME)
    config, _ = read_flags([*FLAGS[algorithm], *game, "--num-envs", str(NUM_ENVS)])
    envs = make_vector_env(config.env_config, num_envs=NUM_ENVS, seed=0)
    with tempfile.TemporaryDirectory() as folder:
        agent = make_agent(
            config.agent, envs, config.hyper, device="auto", folder=Path(folder),
            threads=spare_cores(envs.num_processes),
        )  # fmt: skip
        states, _ = envs.reset()
        num_steps = 0
        for step in play(agent, envs, states):
            num_steps += step.num_steps
            if step.metrics is not None:
                yield {"steps": num_steps}
                num_steps = 0


def sb3(algorithm: str, num_envs: int) -> Work:
    """Steps of an agent of Stable-Baselines3.

    Args:
        algorithm: ``"dqn"`` (one update of batch 32 every 4 steps) or ``"ppo"`` (4 epochs of
            batches of 256 every 128 steps per environment).
        num_envs: Number of environments.
    """
    import ale_py
    import gymnasium as gym
    import stable_baselines3
    from stable_baselines3.common.env_util import make_atari_env
    from stable_baselines3.common.vec_env import VecFrameStack

    gym.register_envs(ale_py)
    envs = VecFrameStack(make_atari_env(GAME, n_envs=num_envs, seed=0), 4)
    model: Any
    if algorithm == "dqn":
        model = stable_baselines3.DQN(
            "CnnPolicy", envs, buffer_size=20_000, learning_starts=WARM_UP_STEPS, batch_size=32,
            train_freq=4, gradient_steps=num_envs, exploration_fraction=1e-9,
            exploration_final_eps=0.01, device="auto",
        )  # fmt: skip
    else:
        model = stable_baselines3.PPO(
            "CnnPolicy", envs, n_steps=128, batch_size=256, n_epochs=4, ent_coef=0.01,
            device="auto",
        )  # fmt: skip
    steps = 128 * num_envs
    yield from train_steps(model, warm_up=WARM_UP_STEPS + steps, steps=steps)
