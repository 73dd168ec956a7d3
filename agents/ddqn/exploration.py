"""Exploration: which games of a batch try something random, and what."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from agents.agent import Actions
from agents.rng import generator_state, set_generator_state
from agents.schedules import Schedule

Rates = TypeVar("Rates", float, NDArray[np.float64])

GREEDY = -1
"""Stands where the best known action is to be taken."""


LADDER_POWER = 7.0
"""How much farther down the last rung of a ladder is than the first, as a power of its base."""


def ladder(base: float, num_games: int) -> NDArray[np.float64]:
    """Rates at which games that are played side by side explore, from curious to nearly greedy.

    ``base ** (1 + 7 i / (n - 1))`` for game ``i`` of ``n``: Horgan et al. 2018,
    https://arxiv.org/abs/1803.00933, section 4.1. A game alone is on the middle rung.

    Returns:
        float64 ``(num_games,)``.

    >>> ladder(0.4, num_games=3).round(4).tolist()
    [0.4, 0.0162, 0.0007]
    """
    rungs = np.linspace(0, 1, num_games) if num_games > 1 else np.array([0.5])
    return np.power(base, 1 + LADDER_POWER * rungs)


def start_rate(rate: Rates, mean_length: float) -> Rates:
    """How likely a random stretch must begin for a share ``rate`` of all decisions to be random.

    Stretches of mean length ``m`` begun with probability ``p`` whenever none is going on make up
    ``p m / (1 - p + p m)`` of the time, which is solved for ``p``.

    >>> start_rate(0.5, mean_length=1.0)
    0.5
    >>> round(start_rate(0.5, mean_length=3.0), 3)
    0.25
    """
    return rate / (rate + mean_length * (1 - rate))


class EpsilonGreedy:
    """A random action with a probability that changes from decision to decision.

    The decision numbered ``d`` from 0 is random with probability ``schedule(d)``, whichever game of
    a batch it is for: eight games at a time explore as one game does after as many decisions. A
    game with a rate of its own never explores less than that.

    With ``hold``, a random action is held for a number of decisions ``n`` that has a probability
    proportional to ``n ** -2``, so that one draw can be a whole jump: Dabney et al. 2020,
    https://arxiv.org/abs/2006.01782. The share of decisions that are random stays the same.

    Args:
        schedule: the probability at each decision.
        num_actions: how many actions there are to choose from.
        seed: seeds the draws.
        floors: the least probability for each game, ``(num_games,)``; None for 0.
        hold: the most decisions that a random action is held.

    >>> from agents.schedules import Constant
    >>> EpsilonGreedy(Constant(0.0), num_actions=2).choose(num_games=3)
    array([-1, -1, -1])
    """

    def __init__(
        self,
        schedule: Schedule,
        num_actions: int,
        seed: int = 0,
        *,
        floors: NDArray[np.float64] | None = None,
        hold: int = 1,
    ) -> None:
        self.decisions = 0
        self._schedule = schedule
        self._num_actions = num_actions
        self._generator = np.random.default_rng(seed)
        self._floors = np.zeros(1) if floors is None else floors
        lengths = np.arange(1, hold + 1)
        self._odds = lengths**-2.0 / (lengths**-2.0).sum()
        self._mean_length = float(lengths @ self._odds)
        self._held: Actions = np.zeros(0, np.int64)
        self._left: Actions = np.zeros(0, np.int64)

    @property
    def rate(self) -> float:
        """The probability that the next decision is random, in the mean over the games."""
        return float(np.maximum(self._schedule(self.decisions), self._floors).mean())

    def choose(self, num_games: int) -> Actions:
        """Decide once for each game.

        Returns:
            int64 ``(num_games,)``: a random action, or `GREEDY` where the best one is to be taken.
        """
        scheduled = [self._schedule(self.decisions + game) for game in range(num_games)]
        rates = np.maximum(scheduled, self._floors)
        self.decisions += num_games
        random = self._generator.random(num_games)
        actions = self._generator.integers(self._num_actions, size=num_games)
        if len(self._odds) == 1:
            return np.where(random < rates, actions, GREEDY)
        return self._hold(random < start_rate(rates, self._mean_length), actions)

    def state_dict(self) -> dict[str, Any]:
        """How far it has come, what is being held, and where its generator stands."""
        return {
            "decisions": self.decisions,
            "held": torch.from_numpy(self._held.copy()),
            "left": torch.from_numpy(self._left.copy()),
            "generator": generator_state(self._generator),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where `state_dict` was taken."""
        self.decisions = state["decisions"]
        self._held, self._left = (state[name].numpy().copy() for name in ("held", "left"))
        set_generator_state(self._generator, state["generator"])

    def _hold(self, begins: NDArray[np.bool_], actions: Actions) -> Actions:
        """Go on with the stretches that are not over, and begin some where there is none."""
        if not len(self._left):
            self._held, self._left = np.zeros((2, len(actions)), np.int64)
        lengths = 1 + self._generator.choice(len(self._odds), size=len(actions), p=self._odds)
        begins = begins & (self._left == 0)
        self._held = np.where(begins, actions, self._held)
        self._left = np.where(begins, lengths, self._left)
        chosen = np.where(self._left > 0, self._held, GREEDY)
        self._left = np.maximum(self._left - 1, 0)
        return chosen
