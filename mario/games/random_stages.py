"""Super Mario Bros. with a random level in each episode."""

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
    """Super Mario Bros. with a level drawn at random for each episode.

    ``info`` contains its ``world`` and ``stage``. Each level has its own console, created when the
    level is first drawn. ``reset`` accepts the option ``stages``, the levels to draw from in this
    reset, and the options of `SuperMarioBros`.

    Attributes:
        game: The current level.
    """

    metadata = NesGame.metadata

    def __init__(
        self,
        *,
        stages: Sequence[str] = LEVELS,
        look: str = "vanilla",
        **options: Unpack[NesOptions],
    ) -> None:
        """Start the first level.

        Args:
            stages: The levels to draw from, for example ``["1-1", "1-4"]``.
            look: See `SuperMarioBros`.
            **options: See `NesGame`.

        Raises:
            UsageError: A level, the look or the ROM is unknown.
        """
        _check_stages(stages)
        self._stages, self._look, self._options = stages, look, options
        self._games: dict[str, SuperMarioBros] = {}
        self.game = self._get_game(stages[0])
        self.action_space, self.action_names = self.game.action_space, self.game.action_names
        self.observation_space = self.game.observation_space
        self.render_mode, self.metadata = self.game.render_mode, self.game.metadata

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Draw a level and start it, see `NesGame.reset`."""
        super().reset(seed=seed)
        stages = (options or {}).get("stages", self._stages)
        _check_stages(stages)
        self.game = self._get_game(stages[int(self.np_random.integers(len(stages)))])
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
        """Free all consoles."""
        for game in self._games.values():
            game.close()

    def _get_game(self, level: str) -> SuperMarioBros:
        if level not in self._games:
            self._games[level] = SuperMarioBros(level=level, look=self._look, **self._options)
        return self._games[level]


def _check_stages(stages: Sequence[str]) -> None:
    """Check that all levels exist.

    Raises:
        UsageError: A level is unknown, or there are none.
    """
    for stage in stages or [""]:
        if stage not in LEVELS:
            raise unknown("stage", stage, LEVELS)
