"""Minimal environments for a convolutional network, and a matching small agent."""

from __future__ import annotations

import numpy as np
from transitions import transitions

from agents.agent import Agent, AgentSpec
from agents.ddqn.config import DDQNConfig
from agents.transitions import Transitions

SHAPE = (2, 36, 36)
TINY = DDQNConfig(
    batch_size=4, replay_capacity=200, burnin=9, sync_every=20, hidden_size=16, learn_every=3,
    precision="float32",
)  # fmt: skip


def spec(**change) -> AgentSpec:
    """Return an `AgentSpec` for `Corridors` with changes."""
    return AgentSpec(**{"state_shape": SHAPE, "num_actions": 3} | change)


class Corridors:
    """Corridors of four positions; moving right (1) at the last one ends the episode with a reward.

    The position is shown as a bright bar. From the first one, moving right is worth ``0.9 ** 2``.
    """

    def __init__(self, count: int = 1) -> None:
        self.places, self.ages = np.zeros((2, count), np.int64)
        self.states = np.zeros((count, *SHAPE), np.uint8)
        self.states[:] = self.look()[:, None]

    def look(self) -> np.ndarray:
        frames = np.zeros((len(self.places), *SHAPE[1:]), np.uint8)
        for frame, place in zip(frames, self.places, strict=True):
            frame[:, place * 9 : place * 9 + 9] = 255
        return frames

    def step(self, actions: np.ndarray) -> Transitions:
        before = self.states
        self.places = np.clip(self.places + np.where(actions == 1, 1, -1), 0, 3)
        self.ages = self.ages + 1
        after = np.concatenate((before[:, 1:], self.look()[:, None]), axis=1)
        won = self.places == 3
        truncated = (self.ages >= 12) & ~won
        over = won | truncated
        self.places[over] = self.ages[over] = 0
        self.states = np.where(over[:, None, None, None], self.look()[:, None], after)
        return transitions(before, actions, won, won, truncated, after)


def live(agent: Agent, games: Corridors, steps: int) -> list[dict | None]:
    """Act, cache and learn; return the metrics of each round of learning."""
    learned = []
    for _ in range(steps):
        agent.cache(games.step(agent.act(games.states)))
        learned.append(agent.learn())
    return learned
