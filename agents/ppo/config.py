"""The hyper-parameters of proximal policy optimization."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

from agents.agent import AgentConfig
from agents.compute.precision import Precision
from agents.networks.actor_critic import PolicyKind


@dataclass(frozen=True)
class PPOConfig(AgentConfig):
    """Hyper-parameters of `PPO`; the defaults are those of OpenAI's baselines, ppo2 on Atari.

    A decision is one choice of an action for one game. What has an end goes there in a straight
    line, while ``schedule_steps`` decisions are made.

    Raises:
        ValueError: one of them is out of range.
    """

    policy: PolicyKind = "cnn"
    """Network: cnn; or with a memory, lstm, or lnlstm, whose layers are normalised."""
    hidden_size: int = 512
    """Width of the layer after the convolutions."""
    lstm_size: int = 256
    """Cells of the memory."""
    horizon: int = 128
    """Decisions of each game between two rounds of learning."""
    epochs: int = 4
    """How often each decision is learned from."""
    minibatches: int = 4
    """Learner per epoch. A memory keeps the decisions of a game together: at most one per game."""
    gamma: float = 0.99
    """Discount of a reward per decision that it is away."""
    gae_lambda: float = 0.95
    """How much farther rewards count in an advantage: 0 for the next one alone, 1 for all."""
    learning_rate: float = 2.5e-4
    """Step size of Adam."""
    learning_rate_end: float = 0.0
    """Step size of Adam in the end."""
    clip_range: float = 0.1
    """How far the chance of an action may move, as a ratio, and a value, in a round of learning."""
    clip_range_end: float = 0.0
    """The same in the end."""
    entropy_coef: float = 0.01
    """What being undecided is worth, per nat."""
    entropy_coef_end: float = 0.01
    """What it is worth in the end."""
    schedule_steps: int | None = None
    """Decisions until the end of what changes; none for the run's --steps. Without either, nothing
    changes."""
    value_coef: float = 0.5
    """Weight of the error of values in the loss."""
    clip_value_loss: bool = True
    """Clip the movement of values as that of probabilities."""
    normalize_advantages: bool = True
    """Bring the advantages of each minibatch to mean 0 and deviation 1."""
    target_kl: float | None = None
    """A round of learning ends early once the policy has moved this far; none for never."""
    max_grad_norm: float | None = 0.5
    """Longest gradient that is not shortened; none for any length."""
    adam_epsilon: float = 1e-5
    """What Adam adds to the root of the mean squared gradient that it divides by."""
    deterministic: bool = True
    """Play by the greedy action; without, draw one, as while training."""
    precision: Precision = "auto"
    """Numbers to learn with; auto takes those that the hardware is fastest with: float16 with
    AVX512-FP16, else bfloat16 or float32. It plays in float32."""

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
        for name in ("schedule_steps", "target_kl", "max_grad_norm"):
            number = getattr(self, name)
            self._require(name, number is None or number > 0, "a number above 0, or none")

    def for_run(self, steps: int | None) -> Self:
        """The same with the schedules as long as the run, where they are of no length of their own.

        >>> PPOConfig().for_run(steps=1000).schedule_steps
        1000
        """
        return self if self.schedule_steps else replace(self, schedule_steps=steps)
