"""Maps the levels of Super Mario Bros. from what is seen when an episode is played again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from mario.errors import UsageError
from mario.evaluation.episodes import EpisodeResult, LevelArea
from mario.games.super_mario_bros import SuperMarioBros

STATUS_ROWS = 32
"""Rows at the top of the screen that show score, coins and time."""
HEIGHT, SCREEN = 240 - STATUS_ROWS, 256
LONGEST = 32 * SCREEN
"""More than the length of any level."""
TILE = 16


@dataclass
class LevelSurvey:
    """A stretch of a level as far as it was seen.

    Attributes:
        pixels: uint8 ``(HEIGHT, LONGEST, 3)``; column x shows what is at x pixels.
        left: the first column that was seen.
        right: the column after the last.
    """

    pixels: NDArray[np.uint8] = field(
        default_factory=lambda: np.zeros((HEIGHT, LONGEST, 3), np.uint8)
    )
    left: int = LONGEST
    right: int = 0

    def paste(self, frame: NDArray[np.uint8], x: int) -> None:
        """Add a screen, uint8 ``(240, 256, 3)``, whose left edge is at ``x``."""
        self.left, self.right = min(self.left, x), max(self.right, x + SCREEN)
        self.pixels[:, x : x + SCREEN] = frame[STATUS_ROWS:]


class SurveyRecorder(gym.Wrapper[Any, Any, Any, Any]):
    """Pastes every screen of a game to where it belongs.

    Args:
        env: the bare game.
        surveys: is filled, in the order in which the stretches are come to.

    Raises:
        UsageError: it is another game than Super Mario Bros.
    """

    def __init__(self, env: gym.Env[Any, Any], surveys: dict[LevelArea, LevelSurvey]) -> None:
        super().__init__(env)
        if not isinstance(env.unwrapped, SuperMarioBros):
            name = type(env.unwrapped).__name__
            raise UsageError(f"there are maps of Super Mario Bros. alone, not of {name}")
        self._game = env.unwrapped
        self._surveys = surveys
        self._before: tuple[LevelArea, int] | None = None

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the game and paste its screen."""
        result = self.env.step(action)
        self._look(result[0])
        return result

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset the game; the memory of where the screen was is not of this episode."""
        self._before = None
        return self.env.reset(**kwargs)

    def _look(self, frame: NDArray[np.uint8]) -> None:
        mario = self._game.mario
        here = (mario.world, mario.stage, mario.area)
        before, self._before = self._before, (here, mario.screen_x)
        # the memory is already a frame ahead of the picture
        if before is not None and before[0] == here and abs(mario.screen_x - before[1]) < TILE:
            self._surveys.setdefault(here, LevelSurvey()).paste(frame, before[1])


def survey(
    env: gym.Env[Any, Any], surveys: dict[LevelArea, LevelSurvey], played: Iterable[EpisodeResult]
) -> None:
    """Play again the episode that came farthest, and one for each other stretch that one ended in.

    Args:
        env: the game as the agent saw it, around a `SurveyRecorder`.
        surveys: what the `SurveyRecorder` fills.
        played: how the episodes of an evaluation went.
    """
    farthest_first = sorted(
        played, key=lambda each: (each.ending == "flag", each.best_x or 0), reverse=True
    )
    for each in farthest_first:
        if not surveys or each.stretch not in surveys:
            env.reset(seed=each.seed)
            for action in each.actions:
                env.step(action)
