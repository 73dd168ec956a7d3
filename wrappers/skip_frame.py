"""Lets an agent decide once in several frames."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class SkipFrame(gym.Wrapper[Any, Any, Any, Any]):
    """Repeats each action for several frames, and sums what they earn.

    What is seen and told is that of the last frame played: fewer are when the game ends meanwhile.

    Args:
        env: the game.
        skip: frames to a decision, at least 1.
        pool: see at each place the brighter of the last two frames, for games that draw some
            things only every other frame. Where the game ends, the last frame alone is seen.

    Raises:
        ValueError: ``skip`` is less than 1.

    >>> env = SkipFrame(gym.make("CartPole-v1"), skip=4)
    >>> _ = env.reset(seed=0)
    >>> env.step(0)[1]
    4.0
    """

    def __init__(self, env: gym.Env[Any, Any], skip: int, pool: bool = False) -> None:
        super().__init__(env)
        if skip < 1:
            raise ValueError(f"skip must be at least 1, got {skip}")
        self._skip = skip
        self._pool = pool

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        total, before = 0.0, None
        for frame in range(1, self._skip + 1):
            observation, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            if terminated or truncated:
                break
            if frame == self._skip and self._pool and before is not None:
                observation = np.maximum(before, observation)
            before = observation
        return observation, total, terminated, truncated, info
