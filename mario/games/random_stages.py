"""Super Mario Bros. with another level in each episode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from mario.errors import unknown
from mario.games.nes_game import NesGame, NesOptions
from mario.games.smb_levels import LEVELS
from mario.games.super_mario_bros import SuperMarioBros


class RandomStages(gym.Env[NDArray[np.uint8], int]):
    """Plays one level an episode, drawn at random; ``info`` tells its ``world`` and ``stage``.

    Each level has a console of its own, switched on when the level is first drawn. ``reset`` takes
    the option ``stages``, the levels to draw from this once, and those of `SuperMarioBros`.

    Attributes:
        game: the level being played.
    """

    metadata = NesGame.metadata

    def __init__(
        self,
        *,
        stages: Sequence[str] = LEVELS,
        look: str = "vanilla",
        **options: Unpack[NesOptions],
    ) -> None:
        """Switch the first console on.

        Args:
            stages: the levels to draw from, e.g. ``["1-1", "1-4"]``.
            look: see `SuperMarioBros`.
            **options: see `NesGame`.

        Raises:
            UsageError: there is no such level, look or ROM.
        """
        self._stages = _checked(stages)
        self._look, self._options = look, options
        self._games: dict[str, SuperMarioBros] = {}
        self.game = self._game(self._stages[0])
        self.action_space, self.action_names = self.game.action_space, self.game.action_names
        self.observation_space = self.game.observation_space
        self.render_mode, self.metadata = self.game.render_mode, self.game.metadata

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Draw a level and start it, see `NesGame.reset`."""
        super().reset(seed=seed)
        stages = _checked((options or {}).get("stages", self._stages))
        self.game = self._game(stages[int(self.np_random.integers(len(stages)))])
        return self.game.reset(seed=seed, options=options)

    def step(self, action: int) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """See `NesGame.step`."""
        return self.game.step(action)

    def info(self) -> dict[str, Any]:
        """See `NesGame.info`."""
        return self.game.info()

    def render(self) -> NDArray[np.uint8] | None:
        """See `NesGame.render`."""
        return self.game.render()

    def close(self) -> None:
        """Free every console."""
        for game in self._games.values():
            game.close()

    def _game(self, level: str) -> SuperMarioBros:
        if level not in self._games:
            self._games[level] = SuperMarioBros(level=level, look=self._look, **self._options)
        return self._games[level]


def _checked(stages: Sequence[str]) -> Sequence[str]:
    """The same levels, if all of them are there.

    Raises:
        UsageError: there is no such level, or none at all.
    """
    for stage in stages or [""]:
        if stage not in LEVELS:
            raise unknown("stage", stage, LEVELS)
    return stages
