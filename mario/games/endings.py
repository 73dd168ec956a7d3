"""How episodes end, and rewards for it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, SupportsFloat

import gymnasium as gym

from mario.config.env_config import EndingRewardConfig
from wrappers.life import LIFE_LOST as LIFE_LOST_VALUE


class Ending(StrEnum):
    """Why an episode ended: the value of ``info["ending"]``, which is ``""`` before the end.

    >>> Ending.GAME_OVER == "game over"
    True
    """

    FLAG = "flag"
    """The level, or the whole game, is cleared."""
    DEATH = "death"
    """The only life is lost."""
    TIME = "time"
    """The clock ran out."""
    GAME_OVER = "game over"
    """The last of several lives is lost."""
    TRUNCATED = "truncated"
    """A time limit was reached, or the game made no progress."""
    LIFE_LOST = LIFE_LOST_VALUE
    """A life is lost, and the game continues in the next episode."""
    CRASH = "crash"
    """The process of the game ended."""


SUCCESSES = frozenset({Ending.FLAG})
"""Endings of episodes that reach the goal."""

FAILURES = frozenset({Ending.DEATH, Ending.TIME, Ending.GAME_OVER})
"""Endings of episodes that are lost."""


def ending_rewards(config: EndingRewardConfig) -> dict[str, float]:
    """Return the reward of each ending that has one.

    >>> ending_rewards(EndingRewardConfig(success=5.0))
    {'flag': 5.0}
    """
    rewards = dict.fromkeys(sorted(SUCCESSES), config.success)
    rewards |= dict.fromkeys(sorted(FAILURES), config.failure)
    return {str(ending): reward for ending, reward in rewards.items() if reward}


class TimeLimitEnding(gym.Wrapper[Any, Any, Any, Any]):
    """Report an episode that Gymnasium's time limit ended as `Ending.TRUNCATED`.

    Args:
        env: A game in a `gymnasium.wrappers.TimeLimit`, which leaves ``info["ending"]`` as it is.
    """

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        *result, truncated, info = self.env.step(action)
        if truncated and info.get("ending") == "":
            info = {**info, "ending": str(Ending.TRUNCATED)}
        return *result, truncated, info


class EndingReward(gym.Wrapper[Any, Any, Any, Any]):
    """Add a reward to the last step of an episode, depending on how it ended.

    Args:
        env: An environment whose ``info`` contains ``ending``, see `Ending`.
        config: The rewards.
    """

    def __init__(self, env: gym.Env[Any, Any], config: EndingRewardConfig) -> None:
        super().__init__(env)
        self._rewards = ending_rewards(config)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        reward = float(reward) + self._rewards.get(info["ending"], 0.0)
        return observation, reward, terminated, truncated, info
