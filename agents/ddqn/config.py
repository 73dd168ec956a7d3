"""The hyper-parameters of Double DQN."""

from __future__ import annotations

import math
from dataclasses import dataclass

from agents.agent import AgentConfig
from agents.compute.precision import Precision
from agents.schedules import Piecewise

COUNTS = (
    "batch_size replay_capacity learn_every sync_every n_step hidden_size exploration_action_repeat priority_beta_steps "
    "learning_rate_steps"
)
"""What there is at least 1 of."""

SHARES = (
    "gamma exploration_start exploration_min exploration_apex_base priority_alpha priority_beta"
)
"""What is a number from 0 to 1."""


@dataclass(frozen=True)
class DDQNConfig(AgentConfig):
    """Hyper-parameters of `DDQN`; the defaults are those of the PyTorch tutorial on Mario.

    A decision is one choice of an action for one game.

    Raises:
        ValueError: one of them is out of range.
    """

    gamma: float = 0.9
    """Discount of a reward per step that it is away."""
    learning_rate: float = 2.5e-4
    """Step size of Adam at first."""
    learning_rate_end: float | None = None
    """Step size in the end; none for that at first."""
    learning_rate_steps: int = 300_000
    """Decisions until then, on a straight line."""
    adam_epsilon: float = 1e-8
    """What Adam adds to the root of the mean squared gradient that it divides by."""
    batch_size: int = 32
    """Transitions per update."""
    replay_capacity: int = 100_000
    """Transitions that the replay memory holds, over all games."""
    burnin: int = 10_000
    """Decisions before learning starts."""
    learn_every: int = 3
    """Decisions per update of the online network."""
    sync_every: int = 10_000
    """Decisions between two copies of the online network into the target."""
    exploration_start: float = 1.0
    """Share of random actions at first."""
    exploration_decay: float = 0.99999975
    """What that share is multiplied by at each decision."""
    exploration_min: float = 0.1
    """Share of random actions in the end."""
    exploration_schedule: tuple[tuple[int, float], ...] = ()
    """In place of all that: decisions and the share of random actions after them, with straight
    lines between."""
    exploration_apex_base: float = 0.0
    """Base of a ladder of rates: the first of the games that are played at a time explores at
    least so much, each after it less, the last hardly at all; 0 for all alike."""
    exploration_action_repeat: int = 1
    """Most decisions that a random action is held; how long is drawn anew each time."""
    n_step: int = 1
    """Steps of rewards between a state and the one it is bootstrapped from."""
    hidden_size: int = 512
    """Width of the layer between the convolutions and the values."""
    double_q: bool = True
    """Have the online network choose the action that the target values, else the target does."""
    separate_target: bool = False
    """Give the target convolutions of its own, in place of those of the online network."""
    max_grad_norm: float | None = None
    """Longest gradient that is not shortened; none for any length."""
    dueling: bool = False
    """Make values of the value of a state and advantages of actions."""
    priority_alpha: float = 0.0
    """How much more often what was learned badly is drawn: 0 for not at all, up to 1."""
    priority_beta: float = 0.4
    """How far that is made up for by weights at first, from 0 to 1; in the end it is 1."""
    priority_beta_steps: int = 1_000_000
    """Decisions until then."""
    random_shift: int = 0
    """Most pixels that what is learned from is moved by at random; 0 for none."""
    weight_average_updates: int = 0
    """Learner over which the weights are averaged that it plays with when it does not learn; 0 for
    those of the last one."""
    precision: Precision = "auto"
    """Numbers to learn with; auto takes those that the hardware is fastest with: float16 with
    AVX512-FP16, else bfloat16 or float32. It plays in float32."""

    def __post_init__(self) -> None:
        for name in COUNTS.split():
            self._require(name, getattr(self, name) >= 1, "1 or more")
        for name in SHARES.split():
            self._require(name, 0 <= getattr(self, name) <= 1, "a number from 0 to 1")
        for name in ("burnin", "random_shift", "weight_average_updates"):
            self._require(name, getattr(self, name) >= 0, "0 or more")
        for name in ("learning_rate", "adam_epsilon"):
            self._require(name, 0 < getattr(self, name) < math.inf, "a number above 0")
        last = self.learning_rate_end
        self._require("learning_rate_end", last is None or 0 < last < math.inf, "above 0, or none")
        self._require("exploration_decay", 0 < self.exploration_decay <= 1, "above 0 and up to 1")
        shares = all(0 <= share <= 1 for _, share in self.exploration_schedule)
        self._require("exploration_schedule", shares, "shares from 0 to 1")
        if self.exploration_schedule:
            Piecewise(self.exploration_schedule)  # complains of steps that do not rise
        below = self.exploration_min <= self.exploration_start
        self._require("exploration_min", below, "at most exploration_start")
        positive = self.max_grad_norm is None or self.max_grad_norm > 0
        self._require("max_grad_norm", positive, "a number above 0, or none")
