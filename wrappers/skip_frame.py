"""Lets an agent decide once in several frames."""

from __future__ import annotations

from typing import Any

import gymnasium as gym


class SkipFrame(gym.Wrapper[Any, Any, Any, Any]):
    """Repeats each action for several frames, and sums what they earn.

    What is seen and told is that of the last frame played: fewer are when the game ends meanwhile.

    Args:
        env: the game.
        skip: frames to a decision, at least 1.

    Raises:
        ValueError: ``skip`` is less than 1.

    >>> env = SkipFrame(gym.make("CartPole-v1"), skip=4)
    >>> _ = env.reset(seed=0)
    >>> env.step(0)[1]
    4.0
    """

    def __init__(self, env: gym.Env[Any, Any], skip: int) -> None:
        super().__init__(env)
        if skip < 1:
            raise ValueError(f"skip must be at least 1, got {skip}")
        self._skip = skip

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        total = 0.0
        for _ in range(self._skip):
            observation, reward, terminated, truncated, info = self.env.step(action)
            total += float(reward)
            if terminated or truncated:
                break
        return observation, total, terminated, truncated, info
