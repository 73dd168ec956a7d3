"""Hyperparameters of Double DQN."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Annotated, Any, Self

import tyro

from agents.agent import AgentConfig
from agents.compute.precision import Precision
from agents.schedules import Piecewise

SchedulePoints = Annotated[
    tuple[tuple[int, float], ...], tyro.conf.arg(help_behavior_hint="(default: none)")
]
"""Points (step, rate) of a schedule. Tyro would print an empty default as "(default: )"."""

COUNTS = (
    "batch_size",
    "replay_capacity",
    "learn_every",
    "sync_every",
    "n_step",
    "hidden_size",
    "exploration_action_repeat",
    "priority_beta_steps",
    "learning_rate_steps",
    "demonstration_margin_steps",
)
"""Fields that must be at least 1."""

FRACTIONS = (
    "gamma",
    "exploration_start",
    "exploration_min",
    "exploration_apex_base",
    "priority_alpha",
    "priority_beta",
)
"""Fields that must be between 0 and 1."""

DURATIONS = (
    "burnin", "sync_every", "priority_beta_steps", "learning_rate_steps", "replay_capacity",
)  # fmt: skip
"""Fields in steps or transitions that are divided among several workers, with rounding."""


NEVER = 2**62
"""Number of steps that no run takes."""


MAXIMA = {
    "learning_rate": (1.0, "Adam changes each weight by about this much per update"),
    "learning_rate_end": (1.0, "Adam changes each weight by about this much per update"),
    "demonstration_margin": (1000.0, "it would outweigh all action values"),
    "demonstration_margin_coef": (1000.0, "the temporal-difference loss would have no effect"),
    "adam_epsilon": (1.0, "updates would become tiny"),
    "batch_size": (65_536, "a batch must fit into the memory"),
    "n_step": (1000, "rewards that far ahead are not due to the action"),
    "hidden_size": (16_384, "the network must fit into the memory"),
    "exploration_action_repeat": (10_000, "episodes are shorter"),
    "random_shift": (84, "nothing would be left of the image"),
    "weight_average_updates": (10**9, "no run has as many updates"),
}
"""Maximum of a field, and the reason."""


@dataclass(frozen=True)
class DDQNConfig(AgentConfig):
    """Hyperparameters of `DDQN`; the defaults are those of the PyTorch tutorial on Mario.

    Steps are agent steps: one action in one environment.

    Raises:
        ValueError: A value is out of range.
    """

    gamma: float = 0.9
    """Discount factor per step."""
    learning_rate: float = 2.5e-4
    """Initial learning rate of Adam."""
    learning_rate_end: float | None = None
    """Final learning rate; None for a constant one."""
    learning_rate_steps: int = 300_000
    """Steps over which the learning rate changes linearly."""
    adam_epsilon: float = 1e-8
    """Epsilon of Adam."""
    batch_size: int = 32
    """Transitions per update."""
    replay_capacity: int = 100_000
    """Capacity of the replay memory in transitions, over all environments."""
    burnin: int = 10_000
    """Steps before learning starts."""
    learn_every: int = 3
    """Steps between updates of the online network."""
    sync_every: int = 10_000
    """Steps between synchronizations of the target network."""
    exploration_start: float = 1.0
    """Initial exploration rate (epsilon)."""
    exploration_decay: float = 0.99999975
    """Factor by which the exploration rate is multiplied at each step."""
    exploration_min: float = 0.1
    """Minimum exploration rate."""
    exploration_schedule: SchedulePoints = ()
    """Exploration rates as (step, rate) points with linear interpolation. Replaces the three values
    above."""
    exploration_apex_base: float = 0.0
    """Base of the minimum exploration rate of each environment, as in Ape-X: the first environment
    explores most, the last hardly at all. 0 for the same rate in all environments."""
    exploration_action_repeat: int = 1
    """Maximum number of steps for which a random action is repeated; the number is sampled."""
    n_step: int = 1
    """Number of steps of the n-step return."""
    hidden_size: int = 512
    """Width of the hidden layer after the convolutions."""
    double_q: bool = True
    """Select the next action with the online network (double Q-learning) instead of the target."""
    separate_target: bool = False
    """Give the target network its own convolutions instead of sharing the online network's."""
    max_grad_norm: float | None = None
    """Maximum gradient norm; None for no clipping."""
    dueling: bool = False
    """Use a dueling head: state value plus action advantages."""
    priority_alpha: float = 0.0
    """Exponent of prioritized replay: 0 for uniform sampling, 1 for fully prioritized."""
    priority_beta: float = 0.4
    """Initial exponent of the importance weights; it increases to 1."""
    priority_beta_steps: int = 1_000_000
    """Steps until the exponent of the importance weights is 1."""
    random_shift: int = 0
    """Maximum shift in pixels of the random shift augmentation; 0 for none."""
    weight_average_updates: int = 0
    """Updates over which the weights are averaged for evaluation and play; 0 for no averaging."""
    demonstration_share: float = 0.0
    """Fraction of each batch that is sampled from demonstrations; 0 to learn from none."""
    demonstration_margin: float = 0.8
    """By how much the values of demonstrated actions should exceed those of all others."""
    demonstration_margin_coef: float = 1.0
    """Initial weight of the large-margin loss of demonstrated actions; it decreases to 0."""
    demonstration_margin_steps: int = 200_000
    """Steps until the weight of the large-margin loss is 0."""
    precision: Precision = "auto"
    """Precision of learning. auto chooses the fastest on this hardware: float16 with AVX512-FP16,
    otherwise bfloat16 or float32. Evaluation and playing use float32."""

    def __post_init__(self) -> None:
        for name in COUNTS:
            self._require(name, getattr(self, name) >= 1, "1 or more")
        for name in FRACTIONS:
            self._require(name, 0 <= getattr(self, name) <= 1, "a number from 0 to 1")
        for name in ("burnin", "random_shift", "weight_average_updates"):
            self._require(name, getattr(self, name) >= 0, "0 or more")
        self._require(
            "demonstration_share", 0 <= self.demonstration_share < 1, "a number from 0 to below 1"
        )
        for name in ("demonstration_margin", "demonstration_margin_coef"):
            self._require(name, 0 <= getattr(self, name) < math.inf, "0 or more")
        for name in ("learning_rate", "adam_epsilon"):
            self._require(name, 0 < getattr(self, name) < math.inf, "a number above 0")
        self._require_at_most(MAXIMA)
        last = self.learning_rate_end
        self._require("learning_rate_end", last is None or 0 < last < math.inf, "above 0, or none")
        self._require("exploration_decay", 0 < self.exploration_decay <= 1, "above 0 and up to 1")
        valid = all(0 <= rate <= 1 for _, rate in self.exploration_schedule)
        self._require("exploration_schedule", valid, "rates from 0 to 1")
        if self.exploration_schedule:
            Piecewise(self.exploration_schedule)  # rejects steps that do not increase
        below = self.exploration_min <= self.exploration_start
        self._require("exploration_min", below, "at most exploration_start")
        positive = self.max_grad_norm is None or self.max_grad_norm > 0
        self._require("max_grad_norm", positive, "a number above 0, or none")

    def for_worker(self, num_workers: int) -> Self:
        """Return a copy for one worker, which has a share of the replay memory and of each batch.

        >>> DDQNConfig(batch_size=64, learn_every=8).for_worker(2).batch_size
        32
        """
        if num_workers == 1:
            return self
        changes: dict[str, Any] = {
            name: math.ceil(getattr(self, name) / num_workers) for name in DURATIONS
        }
        for name in ("batch_size", "learn_every"):
            changes[name] = self._share(name, num_workers)
        points = tuple((step // num_workers, rate) for step, rate in self.exploration_schedule)
        decay = self.exploration_decay**num_workers
        return replace(self, exploration_schedule=points, exploration_decay=decay, **changes)

    def without_memory(self) -> Self:
        """Return a copy with the smallest replay memory, and without learning."""
        return replace(self, replay_capacity=1, burnin=NEVER)
