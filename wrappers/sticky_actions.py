"""Makes fingers slow: the buttons of the frame before stay pressed now and then."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

WORD = 2**64 - 1


def chance(seed: int, number: int) -> float:
    """The number ``number`` from 0 of a sequence of random numbers, uniform in [0, 1).

    Any of them can be had at once, in any language: Steele, Lea and Flood 2014, splitmix64,
    https://doi.org/10.1145/2660193.2660195, of which the highest 53 bits are taken.

    >>> chance(0, 0), chance(0, 1)
    (0.8833108082136426, 0.43152799704850997)
    """
    mixed = (seed + (number + 1) * 0x9E3779B97F4A7C15) & WORD
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & WORD
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & WORD
    return ((mixed ^ mixed >> 31) >> 11) * 2.0**-53


class StickyActions(gym.Wrapper[Any, Any, Any, Any]):
    """Takes the action of the frame before again, with a probability, whatever is asked for.

    Machado et al. 2018, https://arxiv.org/abs/1709.06009. The first action of an episode is taken
    as it is. What is drawn depends on the episode's seed and on how many frames it is old, so that
    an episode can be played again.

    Args:
        env: a game, frame by frame.
        probability: of each frame.

    Raises:
        ValueError: ``probability`` is none.

    >>> StickyActions(gym.make("CartPole-v1"), probability=1.5)
    Traceback (most recent call last):
        ...
    ValueError: the probability must lie between 0 and 1, got 1.5
    """

    def __init__(self, env: gym.Env[Any, Any], probability: float) -> None:
        super().__init__(env)
        if not 0 <= probability <= 1:
            raise ValueError(f"the probability must lie between 0 and 1, got {probability}")
        self._probability = probability
        self._seed = 0
        self._frame = 0
        self._held: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start the game with no action held, see `gymnasium.Env.reset`."""
        self._seed = int(np.random.default_rng().integers(2**63)) if seed is None else seed
        self._frame, self._held = 0, None
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take the action, or the one before again, see `gymnasium.Env.step`."""
        if self._held is None or chance(self._seed, self._frame) >= self._probability:
            self._held = action
        self._frame += 1
        return self.env.step(self._held)
