"""Goes back to where a game was lost, to practise what is hard."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

LOST = ("death", "time", "game over")
"""What a game ends by when it is lost."""
BACK = 10, 80
"""Least and most decisions from where an episode that goes back begins to where one was lost."""


def draw_back(share: float, seed: int) -> int:
    """How many decisions before a loss the next episode begins, 0 for at the game's start.

    Drawn from numbers of its own, so that random starts are the same whatever the share.

    Args:
        share: of the episodes after a loss that go back, 0 to 1.
        seed: the next episode's.

    >>> draw_back(0.0, seed=1), draw_back(1.0, seed=1) == draw_back(1.0, seed=1) >= 10
    (0, True)
    """
    random = np.random.default_rng([seed, 1])
    goes_back = random.random() < share
    return int(random.integers(*BACK, endpoint=True)) if goes_back else 0


class RevisitLoss(gym.Wrapper[Any, Any, Any, Any]):
    """Begins some of the episodes after one that was lost not long before where it was.

    They begin as that one did, and its actions are taken again but for the last few, see
    `draw_back`; one that was too short for that is followed by an ordinary episode, and so is one
    without a seed. ``info["revisited"]`` is the number of actions that were taken before what
    `reset` returns.

    The option ``replay`` of `reset`, a list of actions, begins an episode just after them.

    Args:
        env: a game that does the same after the same seed and actions, and says in
            ``info["ended_by"]`` why it ended.
        share: of the episodes after a loss that go back.

    Raises:
        ValueError: ``share`` is none.

    >>> RevisitLoss(gym.make("CartPole-v1"), share=1.5)
    Traceback (most recent call last):
        ...
    ValueError: share must lie between 0 and 1, got 1.5
    """

    def __init__(self, env: gym.Env[Any, Any], share: float) -> None:
        super().__init__(env)
        if not 0 <= share <= 1:
            raise ValueError(f"share must lie between 0 and 1, got {share}")
        self._share = share
        self._start: dict[str, Any] = {"seed": None, "options": None}
        self._actions: list[Any] = []
        self._revisited, self._lost = 0, False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.Env.reset`."""
        others = dict(options or {})
        replay = others.pop("replay", None)
        before = self._way_back(seed) if replay is None else replay
        if replay is not None or not before:
            self._start = {"seed": seed, "options": others or None}
        self._actions, self._revisited, self._lost = [], len(before), False
        observation, info = self.env.reset(**self._start)
        for action in before:
            observation, _, _, _, info = self.step(action)
        return observation, info | {"revisited": self._revisited}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        self._actions.append(action)
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._lost = info.get("ended_by") in LOST
        return observation, reward, terminated, truncated, info | {"revisited": self._revisited}

    def _way_back(self, seed: int | None) -> list[Any]:
        """The actions that lead to where the next episode begins."""
        if not self._lost or seed is None or self._start["seed"] is None:
            return []
        back = draw_back(self._share, seed)
        return self._actions[:-back] if back else []
