"""Hyperparameters of proximal policy optimization."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

from agents.agent import AgentConfig
from agents.compute.precision import Precision
from agents.networks.actor_critic import PolicyKind

RATE = 1.0, "Adam changes each weight by about this much per update"
MEMORY = 65_536, "a rollout must fit into the memory"
SIZE = 16_384, "the network must fit into the memory"
WEIGHT = 1000.0, "the other parts of the loss would have no effect"
MAXIMA = {
    "hidden_size": SIZE, "lstm_size": SIZE, "horizon": MEMORY, "minibatches": MEMORY,
    "epochs": (1000, "the policy would leave the range in which its rollout is valid"),
    "learning_rate": RATE, "learning_rate_end": RATE,
    "clip_range": (10.0, "nothing would be clipped"),
    "clip_range_end": (10.0, "nothing would be clipped"),
    "entropy_coef": WEIGHT, "entropy_coef_end": WEIGHT, "value_coef": WEIGHT,
    "adam_epsilon": (1.0, "updates would become tiny"),
}  # fmt: skip
"""Maximum of a field, and the reason."""


@dataclass(frozen=True)
class PPOConfig(AgentConfig):
    """Hyperparameters of `PPO`; the defaults are those of OpenAI baselines, ppo2 on Atari.

    Steps are agent steps: one action in one environment. A value with an ``_end`` changes linearly
    over ``schedule_steps`` steps.

    Raises:
        ValueError: A value is out of range.
    """

    policy: PolicyKind = "cnn"
    """Network: cnn, lstm, or lnlstm (LSTM with layer normalization)."""
    hidden_size: int = 512
    """Width of the hidden layer after the convolutions."""
    lstm_size: int = 256
    """Number of LSTM cells."""
    horizon: int = 128
    """Steps per environment in a rollout."""
    epochs: int = 4
    """Passes over each rollout."""
    minibatches: int = 4
    """Minibatches per epoch. Recurrent networks keep the steps of an environment together, so there
    can be at most one minibatch per environment."""
    gamma: float = 0.99
    """Discount factor per step."""
    gae_lambda: float = 0.95
    """Lambda of generalized advantage estimation."""
    learning_rate: float = 2.5e-4
    """Initial learning rate of Adam."""
    learning_rate_end: float = 0.0
    """Final learning rate of Adam."""
    clip_range: float = 0.1
    """Initial clip range of the probability ratio and, with clip_value_loss, of the values."""
    clip_range_end: float = 0.0
    """Final clip range."""
    entropy_coef: float = 0.01
    """Initial coefficient of the entropy bonus."""
    entropy_coef_end: float = 0.01
    """Final coefficient of the entropy bonus."""
    schedule_steps: int | None = None
    """Steps over which the scheduled values change; None for the --steps of the run. Without
    either, they are constant."""
    value_coef: float = 0.5
    """Coefficient of the value loss."""
    clip_value_loss: bool = True
    """Clip the value loss as ppo2 does."""
    normalize_advantages: bool = True
    """Normalize the advantages of each minibatch to mean 0 and standard deviation 1."""
    target_kl: float | None = None
    """Approximate KL divergence at which the updates of a rollout stop early; None for never."""
    max_grad_norm: float | None = 0.5
    """Maximum gradient norm; None for no clipping."""
    adam_epsilon: float = 1e-5
    """Epsilon of Adam."""
    deterministic: bool = True
    """Choose the most probable action in evaluation and play; otherwise sample as in training."""
    precision: Precision = "auto"
    """Precision of learning. auto chooses the fastest on this hardware: float16 with AVX512-FP16,
    otherwise bfloat16 or float32. Evaluation and playing use float32."""

    def __post_init__(self) -> None:
        for name in ("hidden_size", "lstm_size", "horizon", "epochs", "minibatches"):
            self._require(name, getattr(self, name) >= 1, "1 or more")
        for name in ("gamma", "gae_lambda"):
            self._require(name, 0 <= getattr(self, name) <= 1, "a number from 0 to 1")
        for name in ("learning_rate", "clip_range", "adam_epsilon"):
            self._require(name, 0 < getattr(self, name) < math.inf, "a number above 0")
        for name in (
            "learning_rate_end", "clip_range_end", "entropy_coef", "entropy_coef_end", "value_coef",
        ):  # fmt: skip
            self._require(name, 0 <= getattr(self, name) < math.inf, "0 or more")
        self._require_at_most(MAXIMA)
        for name in ("schedule_steps", "target_kl", "max_grad_norm"):
            number = getattr(self, name)
            self._require(name, number is None or number > 0, "a number above 0, or none")

    def for_run(self, steps: int | None) -> Self:
        """Return a copy whose schedules are as long as the run, unless ``schedule_steps`` is set.

        >>> PPOConfig().for_run(steps=1000).schedule_steps
        1000
        """
        return self if self.schedule_steps else replace(self, schedule_steps=steps)

    def for_worker(self, num_workers: int) -> Self:
        """Return a copy for one worker; rollouts and minibatches shrink with its environments.

        >>> PPOConfig(schedule_steps=1000).for_worker(4).schedule_steps
        250
        """
        steps = self.schedule_steps
        return replace(self, schedule_steps=steps and max(1, round(steps / num_workers)))

    def without_memory(self) -> Self:
        """Return a copy with the smallest rollout buffer."""
        return replace(self, horizon=1, minibatches=1)
