"""Hyperparameters of DAgger."""

from __future__ import annotations

import math
from dataclasses import dataclass

from agents.agent import AgentConfig
from agents.compute.precision import Precision

COUNTS = (
    "batch_size",
    "hidden_size",
    "replay_capacity",
    "recent_transitions",
    "learning_rate_steps",
    "weight_average_updates",
)
"""Fields that must be at least 1."""


@dataclass(frozen=True)
class DAggerConfig(AgentConfig):
    """Hyperparameters of `DAgger`.

    Steps are agent steps: one action in one environment.

    Raises:
        ValueError: A value is out of range.
    """

    learning_rate: float = 5e-4
    """Initial learning rate of Adam."""
    learning_rate_end: float = 5e-5
    """Final learning rate of Adam."""
    learning_rate_steps: int = 200_000
    """Steps over which the learning rate changes linearly."""
    adam_epsilon: float = 1e-5
    """Epsilon of Adam."""
    batch_size: int = 128
    """Transitions per update."""
    samples_per_step: float = 60.0
    """Transitions trained on per step that is added to the replay memory. Fewer save time at first,
    but a poor policy needs more and longer searches for corrections."""
    replay_capacity: int = 100_000
    """Capacity of the replay memory in transitions, over all environments."""
    recent_transitions: int = 8_000
    """Number of newest transitions that are sampled more often."""
    recent_fraction: float = 0.5
    """Fraction of a batch that is sampled from the newest transitions only."""
    burnin: int = 500
    """Steps before the first update."""
    label_smoothing: float = 0.02
    """Probability that the targets spread over all actions."""
    hidden_size: int = 512
    """Width of the hidden layer after the convolutions."""
    max_grad_norm: float | None = 10.0
    """Maximum gradient norm; None for no clipping."""
    weight_average_updates: int = 200
    """Updates over which the weights of the acting policy are averaged."""
    precision: Precision = "auto"
    """Precision of learning. auto chooses the fastest on this hardware: float16 with AVX512-FP16,
    otherwise bfloat16 or float32. Acting uses float32."""

    def __post_init__(self) -> None:
        for name in COUNTS:
            self._require(name, getattr(self, name) >= 1, "1 or more")
        for name in ("recent_fraction", "label_smoothing"):
            self._require(name, 0 <= getattr(self, name) < 1, "a number from 0 to below 1")
        for name in ("learning_rate", "learning_rate_end", "adam_epsilon", "samples_per_step"):
            self._require(name, 0 < getattr(self, name) < math.inf, "a number above 0")
        self._require("burnin", self.burnin >= 0, "0 or more")
        positive = self.max_grad_norm is None or self.max_grad_norm > 0
        self._require("max_grad_norm", positive, "a number above 0, or none")
