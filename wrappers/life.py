"""What becomes of an episode when one of several lives is lost."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym

LIFE = "life"
"""What an episode ends by when a life is lost and the game goes on."""


def life_ended(info: dict[str, Any]) -> bool:
    """Whether an episode with this last ``info`` ended while its game goes on."""
    return info.get("ending") == LIFE


Result = tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]


class FireReset(gym.Wrapper[Any, Any, Any, Any]):
    """Serves the ball: holds the fire button for a decision at the start and after a lost life.

    The serve belongs to the step in which the life was lost.

    Args:
        env: a game whose ``info`` has ``lives``.
        fire: the action that is the fire button.
    """

    def __init__(self, env: gym.Env[Any, Any], fire: int) -> None:
        super().__init__(env)
        self._fire = fire
        self._lives = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.Env.reset`."""
        self.env.reset(seed=seed, options=options)
        observation, _, _, _, info = self.env.step(self._fire)
        self._lives = info["lives"]
        return observation, info

    def step(self, action: Any) -> Result:
        """See `gymnasium.Env.step`."""
        result = self.env.step(action)
        lost, self._lives = result[4]["lives"] < self._lives, result[4]["lives"]
        if not lost or result[2] or result[3]:
            return result
        observation, reward, terminated, truncated, info = self.env.step(self._fire)
        return observation, float(result[1]) + float(reward), terminated, truncated, info


class TerminalOnLifeLoss(gym.Wrapper[Any, Any, Any, Any]):
    """Lets an episode end with each life, while the game goes on.

    A life that is lost terminates the episode, by `LIFE`; the next `reset` begins an episode where
    the game stands. Only what follows the end of the game starts it anew.

    Args:
        env: a game whose ``info`` has ``lives``.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self._lives = 0
        self._goes_on: tuple[Any, dict[str, Any]] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.Env.reset`; the seed and the options are for a game that starts anew."""
        start, self._goes_on = self._goes_on, None
        observation, info = start or self.env.reset(seed=seed, options=options)
        self._lives = info["lives"]
        return observation, info

    def step(self, action: Any) -> Result:
        """See `gymnasium.Env.step`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._goes_on = None
        if info["lives"] < self._lives and not (terminated or truncated):
            self._goes_on = observation, info
            terminated, info = True, {**info, "ending": LIFE}
        self._lives = info["lives"]
        return observation, reward, terminated, truncated, info
