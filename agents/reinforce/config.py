"""The hyper-parameters of REINFORCE."""

from __future__ import annotations

import math
from dataclasses import dataclass

from agents.agent import AgentConfig


@dataclass(frozen=True)
class REINFORCEConfig(AgentConfig):
    """Hyper-parameters of `REINFORCE`; the defaults are those of Karpathy's "Pong from Pixels".

    Raises:
        ValueError: one of them is out of range.
    """

    gamma: float = 0.99
    """Discount of a reward per step that it is away."""
    reset_return_on_reward: bool = True
    """Begin the discounting anew at each reward, as if it ended an episode: a point of Pong."""
    learning_rate: float = 1e-4
    """Step size of RMSProp."""
    rmsprop_decay: float = 0.99
    """Share of the mean squared gradient that RMSProp keeps at an update."""
    rmsprop_epsilon: float = 1e-5
    """What RMSProp adds to its root."""
    batch_episodes: int = 10
    """Episodes whose gradients are summed for an update."""
    hidden_size: int = 200
    """Width of the layer between the pixels and the actions."""

    def __post_init__(self) -> None:
        for name in ("batch_episodes", "hidden_size"):
            self._require(name, getattr(self, name) >= 1, "1 or more")
        for name in ("gamma", "rmsprop_decay"):
            self._require(name, 0 <= getattr(self, name) <= 1, "a number from 0 to 1")
        for name in ("learning_rate", "rmsprop_epsilon"):
            self._require(name, 0 < getattr(self, name) < math.inf, "a number above 0")
