"""Reward preprocessing: scaling and clipping.

* `ScaleReward` multiplies rewards by a constant.
* `ClipReward` clips rewards to a symmetric interval.
"""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym


class ScaleReward(gym.RewardWrapper[Any, Any]):
    """Multiply rewards by a constant.

    Args:
        env: The environment.
        scale: The factor, not 0.

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
    """Clip rewards to ``[-bound, bound]``.

    Args:
        env: The environment.
        bound: Maximum absolute reward, above 0.

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
