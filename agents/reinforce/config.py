"""Hyperparameters of REINFORCE."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

from agents.agent import AgentConfig

MAXIMA = {
    "learning_rate": (1.0, "RMSProp changes each weight by about this much per update"),
    "rmsprop_epsilon": (1.0, "updates would become tiny"),
    "batch_episodes": (100_000, "the first update would come too late"),
    "hidden_size": (16_384, "the network must fit into the memory"),
}
"""Maximum of a field, and the reason."""


@dataclass(frozen=True)
class REINFORCEConfig(AgentConfig):
    """Hyperparameters of `REINFORCE`; the defaults are those of Karpathy's "Pong from Pixels".

    Raises:
        ValueError: A value is out of range.
    """

    gamma: float = 0.99
    """Discount factor per step."""
    reset_return_on_reward: bool = True
    """Reset the return at each nonzero reward, as if it ended an episode (a point in Pong)."""
    learning_rate: float = 1e-4
    """Learning rate of RMSProp."""
    rmsprop_decay: float = 0.99
    """Decay rate of RMSProp's mean squared gradient."""
    rmsprop_epsilon: float = 1e-5
    """Epsilon of RMSProp."""
    batch_episodes: int = 10
    """Episodes whose gradients are summed per update."""
    hidden_size: int = 200
    """Width of the hidden layer."""
    deterministic: bool = True
    """Choose the most probable action in evaluation and play; otherwise sample as in training."""

    def __post_init__(self) -> None:
        for name in ("batch_episodes", "hidden_size"):
            self._require(name, getattr(self, name) >= 1, "1 or more")
        self._require_at_most(MAXIMA)
        for name in ("gamma", "rmsprop_decay"):
            self._require(name, 0 <= getattr(self, name) <= 1, "a number from 0 to 1")
        for name in ("learning_rate", "rmsprop_epsilon"):
            self._require(name, 0 < getattr(self, name) < math.inf, "a number above 0")

    def for_worker(self, num_workers: int) -> Self:
        """Return a copy with one worker's share of the episodes of an update.

        >>> REINFORCEConfig(batch_episodes=10).for_worker(2).batch_episodes
        5
        """
        return replace(self, batch_episodes=self._share("batch_episodes", num_workers))
