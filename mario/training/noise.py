"""Random actions that disturb training, as the agent will be disturbed in evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.rng import generator_state, set_generator_state


class ActionNoise:
    """Replaces a share of the actions by random ones.

    The noise is a property of the environments, like sticky actions: the agent caches the actions
    that it chose. Each environment has its own share, so that the agent also experiences episodes
    that no noise cuts short.

    Args:
        rates: Shares of random actions. Environment ``i`` has share ``i`` modulo their number.
        num_envs: Number of environments.
        num_actions: Number of actions.
        seed: Seed of the random actions.

    >>> ActionNoise([0.0, 1.0], num_envs=4, num_actions=1, seed=0).apply(np.array([5, 5, 5, 5]))
    array([5, 0, 5, 0])
    """

    def __init__(self, rates: Sequence[float], num_envs: int, num_actions: int, seed: int) -> None:
        self._rates = np.resize(np.asarray(rates, np.float64), num_envs)
        self._num_actions = num_actions
        # Exploration and replay have the same seed and must not draw the same numbers.
        self._generator = np.random.default_rng((seed, *b"noise"))

    def apply(self, actions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the actions to execute in place of those that the agent chose.

        Args:
            actions: int64 ``(num_envs,)``.
        """
        is_random = self._generator.random(len(actions)) < self._rates
        random_actions = self._generator.integers(self._num_actions, size=len(actions))
        return np.where(is_random, random_actions, actions)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the random generator."""
        return {"generator": generator_state(self._generator)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        set_generator_state(self._generator, state["generator"])
