"""Frame skipping: one agent step covers several emulator frames."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np


class SkipFrame(gym.Wrapper[Any, Any, Any, Any]):
    """Repeat each action for several frames and sum the rewards.

    The observation and ``info`` are those of the last frame. The step is shorter if the episode
    ends during it.

    Args:
        env: The environment, one frame per step.
        skip: Frames per agent step, at least 1.
        max_pool: Return the pixel-wise maximum of the last two frames, for games that draw some
            sprites only every other frame. At the end of an episode, only the last frame is used.

    Raises:
        ValueError: ``skip`` is less than 1.

    >>> env = SkipFrame(gym.make("CartPole-v1"), skip=4)
    >>> _ = env.reset(seed=0)
    >>> env.step(0)[1]
    4.0
    """

    def __init__(self, env: gym.Env[Any, Any], skip: int, max_pool: bool = False) -> None:
        super().__init__(env)
        if skip < 1:
            raise ValueError(f"skip must be at least 1, got {skip}")
        self._skip = skip
        self._max_pool = max_pool

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        total_reward, previous = 0.0, None
        for frame in range(1, self._skip + 1):
            observation, reward, terminated, truncated, info = self.env.step(action)
            total_reward += float(reward)
            if terminated or truncated:
                break
            if frame == self._skip and self._max_pool and previous is not None:
                observation = np.maximum(previous, observation)
            previous = observation
        return observation, total_reward, terminated, truncated, info
