"""A wrapper that restarts the frame stack where a new level or life begins."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from mario.errors import UsageError

States = NDArray[np.uint8]


class ResetStackOnNewLevel(gym.Wrapper[States, int, States, int]):
    """Fills the frame stack with the first frame of each level and each life.

    An agent trained on a single level has never seen frames of two levels or two lives in one
    stack. The wrapper asks the game for its level after every step, because the info of ``step``
    precedes the cut scene in which the game enters the next level.

    Args:
        env: The fully wrapped game, with observations uint8 ``(stack, ...)``, newest frame last.
            The unwrapped game must have a method ``info`` that returns ``world`` and ``stage``.
    """

    def __init__(self, env: gym.Env[States, int]) -> None:
        super().__init__(env)
        self._position = (0, 0, 0)
        self._num_frames = 0

    @property
    def level(self) -> str:
        """Level that is being played, e.g. ``"1-2"``."""
        world, stage, _ = self._position
        return f"{world}-{stage}"

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[States, dict[str, Any]]:
        """Reset the game, see `gymnasium.Env.reset`.

        Raises:
            UsageError: The game has no levels.
        """
        state, info = self.env.reset(seed=seed, options=options)
        if not {"world", "stage"} <= info.keys():
            game = self.env.spec.id if self.env.spec else self.env.unwrapped
            raise UsageError(f"{game} has no levels for agents to share; give one checkpoint only")
        self._position, self._num_frames = self._read_position(), len(state)
        return state, info

    def step(self, action: int) -> tuple[States, Any, bool, bool, dict[str, Any]]:
        """Step the game, see `gymnasium.Env.step`."""
        state, reward, terminated, truncated, info = self.env.step(action)
        previous, self._position = self._position, self._read_position()
        self._num_frames = self._num_frames + 1 if self._position == previous else 1
        if self._num_frames < len(state):
            state = state.copy()
            state[: -self._num_frames] = state[-self._num_frames]
        return state, reward, terminated, truncated, info

    def _read_position(self) -> tuple[int, int, int]:
        """Return world, stage and number of lives."""
        game: Any = self.env.unwrapped
        info = game.info()
        return info["world"], info["stage"], info.get("life", 0)
