"""Minimal environments that require memory, and a loop for any agent."""

from __future__ import annotations

import numpy as np
from transitions import transitions

from agents.agent import EPISODE_START, Agent, AgentSpec
from agents.ppo.config import PPOConfig
from agents.transitions import Transitions

SHAPE = (1, 36, 36)
TINY = PPOConfig(
    hidden_size=32, lstm_size=16, horizon=8, minibatches=2, epochs=2, learning_rate=2e-3,
    learning_rate_end=2e-3, gamma=0.9, clip_range=0.2, clip_range_end=0.2, precision="float32",
)  # fmt: skip


def spec(**change) -> AgentSpec:
    """Return an `AgentSpec` for `Cues` with changes."""
    return AgentSpec(**{"state_shape": SHAPE, "num_actions": 2} | change)


class Cues:
    """Games of three steps: a light, left or right, is seen first, and is to be told at the end.

    The last action earns 1 if it names the side of the light, which is dark by then.
    """

    def __init__(self, count: int = 1, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.sides = self.rng.integers(2, size=count)
        self.ages = np.zeros(count, np.int64)

    @property
    def states(self) -> np.ndarray:
        seen = np.zeros((len(self.ages), *SHAPE), np.uint8)
        for frame, side, age in zip(seen[:, 0], self.sides, self.ages, strict=True):
            if age == 0:
                frame[:, 18 * side : 18 * side + 18] = 255
            frame[age * 12 : age * 12 + 4] = 128
        return seen

    def step(self, actions: np.ndarray) -> Transitions:
        before = self.states
        self.ages = self.ages + 1
        over = self.ages == 3
        rewards = over & (actions == self.sides)
        after = np.where(over[:, None, None, None], 0, self.states).astype(np.uint8)
        self.ages[over] = 0
        self.sides = np.where(over, self.rng.integers(2, size=len(over)), self.sides)
        return transitions(before, actions, rewards, over, np.zeros_like(over), after)


def live(agent: Agent, games, steps: int) -> list[dict | None]:
    """Act, learn and cache in the order of the training loop."""
    learned = []
    for _ in range(steps):
        actions = agent.act(games.states)
        learned.append(agent.learn())
        agent.cache(games.step(actions))
    return learned


def score(agent: Agent, games, steps: int) -> float:
    """Return the mean reward of evaluation episodes."""
    agent.train(False)
    total, episodes = 0.0, 0
    for _ in range(steps):
        step = games.step(agent.act(games.states))
        ended = step.ended
        agent.carry_recurrent_state(np.where(ended, EPISODE_START, np.arange(len(ended))))
        total, episodes = total + step.rewards.sum(), episodes + ended.sum()
    agent.train()
    return total / episodes
