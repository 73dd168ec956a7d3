"""Sticky actions: repeat the previous action with some probability."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

MASK_64_BITS = 2**64 - 1


def counter_based_uniform(seed: int, index: int) -> float:
    """Return element ``index`` of a sequence of random numbers, uniform in [0, 1).

    Each element can be computed directly, in any language. It consists of the highest 53 bits of
    splitmix64 (Steele, Lea and Flood 2014, https://doi.org/10.1145/2660193.2660195).

    Args:
        seed: Seed of the sequence.
        index: Index of the element, from 0.

    >>> counter_based_uniform(0, 0), counter_based_uniform(0, 1)
    (0.8833108082136426, 0.43152799704850997)
    """
    mixed = (seed + (index + 1) * 0x9E3779B97F4A7C15) & MASK_64_BITS
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & MASK_64_BITS
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & MASK_64_BITS
    return ((mixed ^ mixed >> 31) >> 11) * 2.0**-53


class StickyActions(gym.Wrapper[Any, Any, Any, Any]):
    """Repeat the action of the previous frame with a given probability.

    Machado et al. 2018, https://arxiv.org/abs/1709.06009. The first action of an episode is never
    replaced. The random numbers depend only on the seed of the episode and the frame number, so
    that an episode can be replayed.

    Args:
        env: The environment, one frame per step.
        probability: Probability of a repeat in each frame.

    Raises:
        ValueError: ``probability`` is not between 0 and 1.

    >>> StickyActions(gym.make("CartPole-v1"), probability=1.5)
    Traceback (most recent call last):
        ...
    ValueError: probability must be between 0 and 1, got 1.5
    """

    def __init__(self, env: gym.Env[Any, Any], probability: float) -> None:
        super().__init__(env)
        if not 0 <= probability <= 1:
            raise ValueError(f"probability must be between 0 and 1, got {probability}")
        self._probability = probability
        self._seed = 0
        self._frame = 0
        self._last_action: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode without a previous action, see `gymnasium.Env.reset`."""
        self._seed = int(np.random.default_rng().integers(2**63)) if seed is None else seed
        self._frame, self._last_action = 0, None
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take the given action or repeat the previous one, see `gymnasium.Env.step`."""
        sample = counter_based_uniform(self._seed, self._frame)
        if self._last_action is None or sample >= self._probability:
            self._last_action = action
        self._frame += 1
        return self.env.step(self._last_action)
