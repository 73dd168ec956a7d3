"""Random starts: each episode starts after a random number of no-op frames."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


def sample_noops(seed: int, noop_max: int) -> int:
    """Return the number of no-op frames for the episode with the given seed.

    Args:
        seed: Seed of the episode.
        noop_max: Maximum number of frames; all numbers from 0 to ``noop_max`` are equally likely.
    """
    return _sample(np.random.default_rng(seed), noop_max)


class NoopReset(gym.Wrapper[Any, Any, Any, Any]):
    """Start each episode after a random number of no-op frames.

    In a deterministic game with a fixed start, all episodes of a deterministic agent would be the
    same. The number is drawn uniformly from 0 to ``noop_max``, inclusive, and passed to the
    environment as the ``noops`` option of ``reset``.

    Args:
        env: An environment whose ``reset`` accepts the option ``noops``.
        noop_max: Maximum number of frames.

    Raises:
        ValueError: ``noop_max`` is negative.

    >>> NoopReset(gym.make("CartPole-v1"), noop_max=-1)
    Traceback (most recent call last):
        ...
    ValueError: noop_max must not be negative, got -1
    """

    def __init__(self, env: gym.Env[Any, Any], noop_max: int) -> None:
        super().__init__(env)
        if noop_max < 0:
            raise ValueError(f"noop_max must not be negative, got {noop_max}")
        self._noop_max = noop_max
        self._rng = np.random.default_rng()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode after some no-op frames, see `gymnasium.Env.reset`.

        Args:
            seed: Seeds the number of frames of this and the following episodes, and the game.
            options: Options of the game.
        """
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        noops = _sample(self._rng, self._noop_max)
        return self.env.reset(seed=seed, options={**(options or {}), "noops": noops})


def _sample(rng: np.random.Generator, noop_max: int) -> int:
    return int(rng.integers(noop_max, endpoint=True))
