"""Wrappers for games with several lives.

* `FireReset` presses the fire button at the start of an episode and after a lost life.
* `TerminalOnLifeLoss` ends the episode when a life is lost.
"""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym

LIFE_LOST = "life"
"""``info["ending"]`` of an episode that ended because a life was lost; the game continues."""

StepResult = tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]


def ended_by_life_loss(info: dict[str, Any]) -> bool:
    """Return whether the episode ended because a life was lost, while the game continues.

    Args:
        info: The ``info`` of the episode's last step.
    """
    return info.get("ending") == LIFE_LOST


class FireReset(gym.Wrapper[Any, Any, Any, Any]):
    """Press the fire button for one step at the start of an episode and after a lost life.

    The reward of the extra step is added to that of the step in which the life was lost.

    Args:
        env: An environment whose ``info`` contains ``lives``.
        fire: The action that presses the fire button.
    """

    def __init__(self, env: gym.Env[Any, Any], fire: int) -> None:
        super().__init__(env)
        self._fire = fire
        self._lives = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.Env.reset`. If the fire button ends the episode, reset once more."""
        self.env.reset(seed=seed, options=options)
        observation, _, terminated, truncated, info = self.env.step(self._fire)
        if terminated or truncated:
            observation, info = self.env.reset(seed=seed, options=options)
        self._lives = info["lives"]
        return observation, info

    def step(self, action: Any) -> StepResult:
        """See `gymnasium.Env.step`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        life_lost, self._lives = info["lives"] < self._lives, info["lives"]
        if not life_lost or terminated or truncated:
            return observation, reward, terminated, truncated, info
        observation, fire_reward, terminated, truncated, info = self.env.step(self._fire)
        self._lives = info["lives"]
        return observation, float(reward) + float(fire_reward), terminated, truncated, info


class TerminalOnLifeLoss(gym.Wrapper[Any, Any, Any, Any]):
    """End the episode when a life is lost, without restarting the game.

    The step that loses a life is terminal, with ``info["ending"]`` set to `LIFE_LOST`. A ``reset``
    after this step continues the game from its current state; after any other step, it resets the
    game. The loss of the last life does not end the episode by itself, because some games (Qbert)
    show 0 lives for several frames before the game ends.

    Args:
        env: An environment whose ``info`` contains ``lives``.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self._lives = 0
        self._continued: tuple[Any, dict[str, Any]] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.Env.reset`; seed and options are ignored while the game continues."""
        continued, self._continued = self._continued, None
        observation, info = continued or self.env.reset(seed=seed, options=options)
        self._lives = info["lives"]
        return observation, info

    def step(self, action: Any) -> StepResult:
        """See `gymnasium.Env.step`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._continued = None
        if 0 < info["lives"] < self._lives and not (terminated or truncated):
            self._continued = observation, info
            terminated, info = True, {**info, "ending": LIFE_LOST}
        self._lives = info["lives"]
        return observation, reward, terminated, truncated, info
