"""Makes games start differently each time."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


def sample_noops(seed: int, max_noops: int) -> int:
    """How many frames go by first in the episode of a seed.

    Args:
        seed: the episode's.
        max_noops: the greatest number, which is as likely as each smaller one.
    """
    return _draw(np.random.default_rng(seed), max_noops)


class NoopReset(gym.Wrapper[Any, Any, Any, Any]):
    """Lets a random number of frames go by before each episode.

    A deterministic game from a fixed start is one episode counted many times. The number is drawn
    uniformly from 0 to ``max_noops``, and the game is asked to let them pass by the option
    ``noops`` of its ``reset``.

    Args:
        env: a game whose ``reset`` takes the option ``noops``.
        max_noops: the greatest number of frames.

    Raises:
        ValueError: ``max_noops`` is negative.

    >>> NoopReset(gym.make("CartPole-v1"), max_noops=-1)
    Traceback (most recent call last):
        ...
    ValueError: max_noops must not be negative, got -1
    """

    def __init__(self, env: gym.Env[Any, Any], max_noops: int) -> None:
        super().__init__(env)
        if max_noops < 0:
            raise ValueError(f"max_noops must not be negative, got {max_noops}")
        self._max_noops = max_noops
        self._random = np.random.default_rng()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start the game some frames later, see `gymnasium.Env.reset`.

        Args:
            seed: seeds the numbers drawn from here on, and the game.
            options: the game's own options.
        """
        if seed is not None:
            self._random = np.random.default_rng(seed)
        noops = _draw(self._random, self._max_noops)
        return self.env.reset(seed=seed, options={**(options or {}), "noops": noops})


def _draw(random: np.random.Generator, max_noops: int) -> int:
    return int(random.integers(max_noops, endpoint=True))
