"""Changes what an agent is rewarded with, not what a game counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, SupportsFloat

import gymnasium as gym


class ScaleReward(gym.RewardWrapper[Any, Any]):
    """Multiplies rewards.

    Args:
        env: the game.
        scale: the factor, other than 0.

    Raises:
        ValueError: ``scale`` is 0.

    >>> env = ScaleReward(gym.make("CartPole-v1"), scale=0.1)
    >>> _ = env.reset(seed=0)
    >>> env.step(0)[1]
    0.1
    """

    def __init__(self, env: gym.Env[Any, Any], scale: float) -> None:
        super().__init__(env)
        if scale == 0:
            raise ValueError(f"scale must not be 0, got {scale}")
        self._scale = scale

    def reward(self, reward: SupportsFloat) -> float:
        """See `gymnasium.RewardWrapper.reward`."""
        return float(reward) * self._scale


class ClipReward(gym.RewardWrapper[Any, Any]):
    """Clips rewards to the same bound both ways.

    Args:
        env: the game.
        bound: the greatest absolute value, above 0.

    Raises:
        ValueError: ``bound`` is not above 0.

    >>> env = ClipReward(gym.make("CartPole-v1"), bound=0.5)
    >>> _ = env.reset(seed=0)
    >>> env.step(0)[1]
    0.5
    """

    def __init__(self, env: gym.Env[Any, Any], bound: float) -> None:
        super().__init__(env)
        if not bound > 0:
            raise ValueError(f"bound must be above 0, got {bound}")
        self._bound = bound

    def reward(self, reward: SupportsFloat) -> float:
        """See `gymnasium.RewardWrapper.reward`."""
        return max(-self._bound, min(self._bound, float(reward)))


class EndReward(gym.Wrapper[Any, Any, Any, Any]):
    """Adds to the reward of an episode's last step what its end is worth.

    Args:
        env: the game; ``info["ending"]`` says why an episode ended.
        worth: of some of those ends.
    """

    def __init__(self, env: gym.Env[Any, Any], worth: Mapping[str, float]) -> None:
        super().__init__(env)
        self._worth = dict(worth)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        reward = float(reward) + self._worth.get(info["ending"], 0.0)
        return observation, reward, terminated, truncated, info
