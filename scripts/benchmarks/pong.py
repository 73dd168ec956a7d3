"""Work: learning Pong, by our agents and by Stable-Baselines3's of the same size.

Theirs run in an environment of their own, which sees what is installed in ours.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from child import Work
from others import learned

from mario.commands.train import read_flags
from mario.system.threads import spare_cores
from mario.training.trainer import play
from mario.vector.make import make_agent, make_vector_env

GAME = "PongNoFrameskip-v4"
GAMES = 8
FIRST = 2_000
"""Decisions before DQN learns; PPO warms up for as long."""
DQN = (
    "--preset", "breakout", "--hyper.batch-size", "32", "--hyper.learn-every", "4",
    "--hyper.replay-capacity", "20000", "--hyper.burnin", str(FIRST), "--hyper.n-step", "1",
    "--hyper.priority-alpha", "0", "--hyper.no-dueling", "--hyper.separate-target",
    "--hyper.no-double-q",  # theirs is not
    # as theirs: a random action costs no look at the network
    "--hyper.exploration-schedule", "0", "0.01", "1", "0.01",
)  # fmt: skip
FLAGS = {"dqn": DQN, "ppo": ("--preset", "atari-ppo2"), "reinforce": ("--preset", "pong-karpathy")}


def ours(agent: str) -> Work:
    """Decisions of an agent of ours; of one that learns from rollouts or episodes, those of each.

    Args:
        agent: ``"dqn"``, ``"ppo"`` or ``"reinforce"``.
    """
    game = () if agent == "reinforce" else ("--game", GAME)
    config, _ = read_flags([*FLAGS[agent], *game, "--num-envs", str(GAMES)])
    games = make_vector_env(
        config.game, config.actions, config.emulator, config.wrappers, num_envs=GAMES, seed=0
    )
    with tempfile.TemporaryDirectory() as folder:
        learner = make_agent(
            config.agent, config.hyper, games, device="auto", folder=Path(folder),
            threads=spare_cores(games.processes),
        )  # fmt: skip
        states, _ = games.reset()
        decisions = 0
        for step in play(learner, games, states):
            decisions += step.decisions
            if step.learned is not None:
                yield {"decisions": decisions}
                decisions = 0


def theirs(agent: str, num_envs: int) -> Work:
    """Decisions of an agent of Stable-Baselines3.

    Args:
        agent: ``"dqn"`` or ``"ppo"``; the first makes an update of 32 for every 4 decisions, the
            other 4 epochs of batches of 256 for every 128 decisions of each game.
        num_envs: how many games.
    """
    import ale_py
    import gymnasium as gym
    import stable_baselines3 as sb3
    from stable_baselines3.common.env_util import make_atari_env
    from stable_baselines3.common.vec_env import VecFrameStack

    gym.register_envs(ale_py)
    games = VecFrameStack(make_atari_env(GAME, n_envs=num_envs, seed=0), 4)
    model: Any
    if agent == "dqn":
        model = sb3.DQN(
            "CnnPolicy", games, buffer_size=20_000, learning_starts=FIRST, batch_size=32,
            train_freq=4, gradient_steps=num_envs, exploration_fraction=1e-9,
            exploration_final_eps=0.01, device="auto",
        )  # fmt: skip
    else:
        model = sb3.PPO(
            "CnnPolicy", games, n_steps=128, batch_size=256, n_epochs=4, ent_coef=0.01,
            device="auto",
        )  # fmt: skip
    each = 128 * num_envs
    yield from learned(model, first=FIRST + each, each=each)
