"""Exploration: which games of a batch try something random, and what."""

from __future__ import annotations

from typing import Any

import numpy as np

from agents.agent import Actions
from agents.randomness import generator_state, set_generator_state
from agents.schedules import Schedule

GREEDY = -1
"""Stands where the best known action is to be taken."""


class EpsilonGreedy:
    """A random action with a probability that changes from decision to decision.

    The decision numbered ``d`` from 0 is random with probability ``schedule(d)``, whichever game of
    a batch it is for: eight games at a time explore as one game does after as many decisions.

    Args:
        schedule: the probability at each decision.
        num_actions: how many actions there are to choose from.
        seed: seeds the draws.

    >>> from agents.schedules import Constant
    >>> EpsilonGreedy(Constant(0.0), num_actions=2).choose(num_games=3)
    array([-1, -1, -1])
    """

    def __init__(self, schedule: Schedule, num_actions: int, seed: int = 0) -> None:
        self.decisions = 0
        self._schedule = schedule
        self._num_actions = num_actions
        self._generator = np.random.default_rng(seed)

    @property
    def rate(self) -> float:
        """The probability that the next decision is random."""
        return self._schedule(self.decisions)

    def choose(self, num_games: int) -> Actions:
        """Decide once for each game.

        Returns:
            int64 ``(num_games,)``: a random action, or `GREEDY` where the best one is to be taken.
        """
        rates = [self._schedule(self.decisions + game) for game in range(num_games)]
        self.decisions += num_games
        random = self._generator.random(num_games) < rates
        actions = self._generator.integers(self._num_actions, size=num_games)
        return np.where(random, actions, GREEDY)

    def state_dict(self) -> dict[str, Any]:
        """How far it has come, and where its generator stands."""
        return {"decisions": self.decisions, "generator": generator_state(self._generator)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where `state_dict` was taken."""
        self.decisions = state["decisions"]
        set_generator_state(self._generator, state["generator"])
