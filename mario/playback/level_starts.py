"""Where in a whole game one is, and levels that begin as they do when they are played alone."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from mario.errors import UsageError

States = NDArray[np.uint8]


class LevelStarts(gym.Wrapper[States, int, States, int]):
    """Lets each level, and each life in it, begin with its first picture repeated.

    An agent that was trained on one level has never seen pictures of two of them, or of two lives,
    together. Where one is, is asked of the game itself after each decision: what ``step`` tells is
    from before the cut scene in which the next level is entered.

    Args:
        env: the game as an agent sees it, uint8 ``(stack, ...)``, the latest picture last. The bare
            game must have a method ``info`` that tells ``world`` and ``stage``.
    """

    def __init__(self, env: gym.Env[States, int]) -> None:
        super().__init__(env)
        self._here = (0, 0, 0)
        self._age = 0

    @property
    def level(self) -> str:
        """The level being played, e.g. ``"1-2"``."""
        world, stage, _ = self._here
        return f"{world}-{stage}"

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[States, dict[str, Any]]:
        """See `gymnasium.Env.reset`.

        Raises:
            UsageError: the game has no levels.
        """
        state, info = self.env.reset(seed=seed, options=options)
        if not {"world", "stage"} <= info.keys():
            game = self.env.spec.id if self.env.spec else self.env.unwrapped
            raise UsageError(f"{game} has no levels for agents to share; give one checkpoint only")
        self._here, self._age = self._where(), len(state)
        return state, info

    def step(self, action: int) -> tuple[States, Any, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        state, reward, terminated, truncated, info = self.env.step(action)
        before, self._here = self._here, self._where()
        self._age = self._age + 1 if self._here == before else 1
        if self._age < len(state):
            state = state.copy()
            state[: -self._age] = state[-self._age]
        return state, reward, terminated, truncated, info

    def _where(self) -> tuple[int, int, int]:
        game: Any = self.env.unwrapped
        info = game.info()
        return info["world"], info["stage"], info.get("life", 0)
