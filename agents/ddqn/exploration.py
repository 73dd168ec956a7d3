"""Epsilon-greedy exploration with repeated actions and per-environment rates."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from agents.rng import generator_state, set_generator_state
from agents.schedules import Schedule
from agents.transitions import Actions

Rates = TypeVar("Rates", float, NDArray[np.float64])

GREEDY = -1
"""Placeholder for the greedy action in the output of `EpsilonGreedy.choose`."""


APEX_ALPHA = 7.0
"""Exponent of the per-environment rates in Ape-X."""


def apex_epsilons(base: float, num_envs: int) -> NDArray[np.float64]:
    """Return the exploration rates of parallel environments, as in Ape-X.

    ``base ** (1 + 7 i / (n - 1))`` for environment ``i`` of ``n``: Horgan et al. 2018,
    https://arxiv.org/abs/1803.00933, section 4.1. A single environment gets the middle rate.

    Returns:
        float64 ``(num_envs,)``.

    >>> apex_epsilons(0.4, num_envs=3).round(4).tolist()
    [0.4, 0.0162, 0.0007]
    """
    positions = np.linspace(0, 1, num_envs) if num_envs > 1 else np.array([0.5])
    return np.power(base, 1 + APEX_ALPHA * positions)


def start_rate(rate: Rates, mean_length: float) -> Rates:
    """Return the probability of starting a repeated action, so that ``rate`` of all steps explore.

    Repeated actions of mean length ``m`` that start with probability ``p``, whenever none is in
    progress, take up a fraction ``p m / (1 - p + p m)`` of the steps. This is solved for ``p``.

    >>> start_rate(0.5, mean_length=1.0)
    0.5
    >>> round(start_rate(0.5, mean_length=3.0), 3)
    0.25
    """
    return rate / (rate + mean_length * (1 - rate))


class EpsilonGreedy:
    """Epsilon-greedy exploration with a scheduled rate.

    Step ``t``, counted over all environments, is random with probability ``schedule(t)``, so that
    eight environments explore as one environment does after the same number of steps. Each
    environment can have a minimum rate.

    With ``action_repeat``, a random action is repeated for ``n`` steps, sampled with probability
    proportional to ``n ** -2``, so that exploration includes long actions, such as a full jump:
    Dabney et al. 2020, https://arxiv.org/abs/2006.01782. The fraction of random steps is unchanged.

    Args:
        schedule: Exploration rate as a function of the step.
        num_actions: Number of actions.
        seed: Seed of the random generator.
        min_rates: Minimum rate of each environment, ``(num_envs,)``; None for 0.
        action_repeat: Maximum number of steps for which a random action is repeated.

    >>> from agents.schedules import Constant
    >>> EpsilonGreedy(Constant(0.0), num_actions=2).choose(num_envs=3)
    array([-1, -1, -1])
    """

    def __init__(
        self,
        schedule: Schedule,
        num_actions: int,
        seed: int = 0,
        *,
        min_rates: NDArray[np.float64] | None = None,
        action_repeat: int = 1,
    ) -> None:
        self.steps = 0
        self._schedule = schedule
        self._num_actions = num_actions
        # The replay memory has the same seed and must not draw the same numbers.
        self._generator = np.random.default_rng((seed, *b"exploration"))
        self._min_rates = np.zeros(1) if min_rates is None else min_rates
        lengths = np.arange(1, action_repeat + 1)
        self._length_probs = lengths**-2.0 / (lengths**-2.0).sum()
        self._mean_length = float(lengths @ self._length_probs)
        self._repeated_actions: Actions = np.zeros(0, np.int64)
        self._remaining_steps: Actions = np.zeros(0, np.int64)

    @property
    def rate(self) -> float:
        """The current exploration rate, averaged over the environments."""
        return float(np.maximum(self._schedule(self.steps), self._min_rates).mean())

    def choose(self, num_envs: int) -> Actions:
        """Choose between a random and the greedy action in each environment.

        Returns:
            int64 ``(num_envs,)``: a random action, or `GREEDY`.
        """
        scheduled = [self._schedule(self.steps + index) for index in range(num_envs)]
        rates = np.maximum(scheduled, self._min_rates)
        self.steps += num_envs
        random = self._generator.random(num_envs)
        actions = self._generator.integers(self._num_actions, size=num_envs)
        if len(self._length_probs) == 1:
            return np.where(random < rates, actions, GREEDY)
        return self._repeat(random < start_rate(rates, self._mean_length), actions)

    def end_episodes(self, ended: NDArray[np.bool_]) -> None:
        """Stop the repeated actions of environments whose episode ended.

        Args:
            ended: Whether the episode ended, bool ``(num_envs,)``.
        """
        if len(self._remaining_steps):
            self._remaining_steps[ended] = 0

    def state_dict(self) -> dict[str, Any]:
        """Return the step, the repeated actions and the generator state."""
        return {
            "steps": self.steps,
            "repeated_actions": torch.from_numpy(self._repeated_actions.copy()),
            "remaining_steps": torch.from_numpy(self._remaining_steps.copy()),
            "generator": generator_state(self._generator),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.steps = state["steps"]
        self._repeated_actions = state["repeated_actions"].numpy().copy()
        self._remaining_steps = state["remaining_steps"].numpy().copy()
        set_generator_state(self._generator, state["generator"])

    def _repeat(self, starts: NDArray[np.bool_], actions: Actions) -> Actions:
        """Continue the repeated actions in progress and start new ones where there are none."""
        if not len(self._remaining_steps):
            self._repeated_actions, self._remaining_steps = np.zeros((2, len(actions)), np.int64)
        lengths = 1 + self._generator.choice(
            len(self._length_probs), size=len(actions), p=self._length_probs
        )
        starts = starts & (self._remaining_steps == 0)
        self._repeated_actions = np.where(starts, actions, self._repeated_actions)
        self._remaining_steps = np.where(starts, lengths, self._remaining_steps)
        chosen = np.where(self._remaining_steps > 0, self._repeated_actions, GREEDY)
        self._remaining_steps = np.maximum(self._remaining_steps - 1, 0)
        return chosen
