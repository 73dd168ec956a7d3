"""Maps the levels of Super Mario Bros. by replaying evaluation episodes."""

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
HEIGHT, SCREEN_WIDTH = 240 - STATUS_ROWS, 256
MAX_WIDTH = 32 * SCREEN_WIDTH
"""More pixels than the longest level has."""
TILE_SIZE = 16


@dataclass
class LevelSurvey:
    """Image of the part of an area that was visible in the replayed episodes.

    Attributes:
        pixels: uint8 ``(HEIGHT, MAX_WIDTH, 3)``; column x shows position x of the area in pixels.
        left: first visible column.
        right: column after the last visible one.
    """

    pixels: NDArray[np.uint8] = field(
        default_factory=lambda: np.zeros((HEIGHT, MAX_WIDTH, 3), np.uint8)
    )
    left: int = MAX_WIDTH
    right: int = 0

    def paste(self, frame: NDArray[np.uint8], x: int) -> None:
        """Add a frame, uint8 ``(240, 256, 3)``, whose left edge is at position ``x``."""
        self.left, self.right = min(self.left, x), max(self.right, x + SCREEN_WIDTH)
        self.pixels[:, x : x + SCREEN_WIDTH] = frame[STATUS_ROWS:]


class SurveyRecorder(gym.Wrapper[Any, Any, Any, Any]):
    """Pastes every frame of a game into the survey of its area.

    Args:
        env: the game without other wrappers.
        surveys: receives the surveys, in the order in which the areas are entered.

    Raises:
        UsageError: the game is not Super Mario Bros.
    """

    def __init__(self, env: gym.Env[Any, Any], surveys: dict[LevelArea, LevelSurvey]) -> None:
        super().__init__(env)
        if not isinstance(env.unwrapped, SuperMarioBros):
            name = type(env.unwrapped).__name__
            raise UsageError(
                f"maps can be drawn of Super Mario Bros. only, not of {name}; omit --map"
            )
        self._game = env.unwrapped
        self._surveys = surveys
        self._previous: tuple[LevelArea, int] | None = None

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the game and record its frame."""
        result = self.env.step(action)
        self._record(result[0])
        return result

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset the game."""
        self._previous = None
        return self.env.reset(**kwargs)

    def _record(self, frame: NDArray[np.uint8]) -> None:
        mario = self._game.mario
        area = (mario.world, mario.stage, mario.area)
        previous, self._previous = self._previous, (area, mario.screen_x)
        # RAM is one frame ahead of the picture, so the frame belongs to the previous position.
        if previous is None or previous[0] != area:
            return
        if abs(mario.screen_x - previous[1]) < TILE_SIZE:
            self._surveys.setdefault(area, LevelSurvey()).paste(frame, previous[1])


def survey_levels(
    env: gym.Env[Any, Any], surveys: dict[LevelArea, LevelSurvey], results: Iterable[EpisodeResult]
) -> None:
    """Replay the best episode, and one episode for each further area in which an episode ended.

    Args:
        env: the game with the agent's wrappers around a `SurveyRecorder`.
        surveys: the surveys that the `SurveyRecorder` fills.
        results: the episodes of an evaluation.
    """
    best_first = sorted(
        results, key=lambda result: (result.cleared, result.best_x or 0), reverse=True
    )
    for result in best_first:
        if not surveys or result.level_area not in surveys:
            env.reset(seed=result.seed)
            for action in result.actions:
                env.step(action)
