"""Super Mario Bros. and The Lost Levels, with the reward used in the literature.

Reward, ending and ``info`` are those of gym-super-mario-bros 7.4.0 in every frame. Later versions
of that package have another reward, whose scores cannot be compared.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, Unpack

from mario.errors import UsageError
from mario.games.endings import Ending
from mario.games.nes_game import NesGame, NesOptions
from mario.games.roms import mario_rom
from mario.games.smb_levels import level_location
from mario.games.smb_ram import MarioRam

START_BUTTON = 8
MAX_X = 0x7FFF
"""Greatest position. A maze can move Mario to a position below 0, which reads as a larger one."""

MAX_STEP_PIXELS = 5
"""Mario never moves this far in a frame, so a greater distance is a change of area."""
DEATH_PENALTY = 25
CELL_WIDTH, CELL_HEIGHT = 16, 24
"""Size in pixels of a cell of the search."""
LEVEL_PIXELS = 0x10000
"""More than the length of any level."""


class SuperMarioBros(NesGame):
    """Super Mario Bros.: one level, or the whole game with three lives.

    The reward of a frame is the number of pixels moved to the right, minus the ticks of the clock,
    minus 25 for dying, clipped to [-15, 15]. ``info`` contains ``coins``, ``flag_get``, ``life``,
    ``score``, ``stage``, ``status``, ``time``, ``world``, ``x_pos``, ``y_pos`` and

    * ``area``: a number for each part of the game that scrolls without a break;
    * ``best_x``: the greatest ``x_pos`` of this life in this level;
    * ``ending``: ``"flag"``, ``"death"``, ``"time"`` (the clock ran out), ``"game over"`` (the
      last life of the whole game is lost), ``"truncated"`` or ``""``.
    """

    reward_range = (-15.0, 15.0)
    reward_version = "gym-super-mario-bros 7.4.0"
    search_actions = ("right-only", "complex")

    def __init__(
        self,
        *,
        level: str | None = None,
        look: str = "vanilla",
        lost_levels: bool = False,
        rom: Path | str | None = None,
        **options: Unpack[NesOptions],
    ) -> None:
        """Start the game.

        Args:
            level: The level to play, for example ``"1-1"``; None for the whole game.
            look: The graphics: ``"vanilla"``, ``"downsample"``, ``"pixel"`` or ``"rectangle"``.
            lost_levels: Whether to play The Lost Levels.
            rom: An iNES ROM file to use instead.
            **options: See `NesGame`.

        Raises:
            UsageError: The level, the look or the ROM is unknown.
        """
        self._level = None if level is None else level_location(level, lost_levels)
        super().__init__(rom=rom or mario_rom(look, lost_levels), **options)

    def start_game(self) -> None:
        """Press start until the clock runs, then wait for its first tick."""
        self.mario = MarioRam(self.ram)
        self._press_start()
        self.advance_while(lambda: self.mario.time == 0, self._enter_level)
        if self.is_stuck:
            raise UsageError("the ROM does not start like Super Mario Bros.; use another file")
        self._time = self.mario.time
        self.advance_while(self._clock_stands_still, self._press_start)

    def on_episode_start(self) -> None:
        """See `NesGame.on_episode_start`."""
        self._time, self._x = self.mario.time, self.mario.x
        self._life, self._num_lives_and_levels, self._best_x = self._current_life(), 0, self._x

    def reward(self) -> float:
        """See `NesGame.reward`."""
        mario = self.mario
        moved, ticks = mario.x - self._x, mario.time - self._time
        self._x, self._time = mario.x, mario.time
        self._update_best_x()
        reward = moved if abs(moved) <= MAX_STEP_PIXELS else 0
        reward += min(ticks, 0)
        return reward - DEATH_PENALTY if mario.dying or mario.dead else reward

    def ending(self) -> Ending | None:
        """See `NesGame.ending`."""
        mario = self.mario
        if self._level is None:
            if mario.game_over:
                return Ending.GAME_OVER
            # After the last world the princess is shown forever: the game is won.
            return Ending.FLAG if self.is_stuck and mario.world_over else None
        if mario.flag_get:
            return Ending.FLAG
        if mario.dying or mario.dead:
            return Ending.DEATH if mario.time else Ending.TIME
        return None

    def info(self) -> dict[str, Any]:
        """See `NesGame.info`."""
        return {**self.mario.info(), "area": self.mario.area, "best_x": self._best_x}

    def progress(self) -> float:
        """Return the distance in this life and level; a new life or level is always farther."""
        return self._num_lives_and_levels * LEVEL_PIXELS + self._best_x

    def cell(self) -> Hashable:
        """Return level, area, position, size, and the state of jumps and mazes.

        Standing is told from jumping because in the air Mario cannot jump or enter a pipe.
        """
        mario = self.mario
        position = mario.x // CELL_WIDTH, mario.y // CELL_HEIGHT
        place = mario.world, mario.stage, mario.area, *position
        return *place, mario.is_big, mario.is_standing, mario.maze

    def skip_cutscenes(self) -> None:
        """Skip deaths, level cards, pipes and the ends of worlds."""
        mario = self.mario
        if mario.dying:
            mario.kill()
            self.emulator.advance(0)
        if self._level is None and mario.world_over:
            time = mario.time
            self.advance_while(lambda: mario.time == time, lambda: self.emulator.advance(0))
        if not self.is_stuck:
            mario.skip_area_change()
            self.advance_while(lambda: mario.busy or mario.world_over, self._skip_frame)

    def _press_start(self) -> None:
        self.emulator.advance(START_BUTTON)
        self.emulator.advance(0)

    def _enter_level(self) -> None:
        self.emulator.advance(START_BUTTON)
        if self._level is not None:
            self.mario.choose_level(*self._level)
        self.emulator.advance(0)
        self.mario.skip_level_card()

    def _clock_stands_still(self) -> bool:
        previous, self._time = self._time, self.mario.time
        return self._time >= previous

    def _skip_frame(self) -> None:
        self.mario.skip_level_card()
        self.emulator.advance(0)

    def _current_life(self) -> tuple[int, int, int]:
        return self.mario.world, self.mario.stage, self.mario.lives

    def _update_best_x(self) -> None:
        """Track the greatest distance in this life and level."""
        life = self._current_life()
        if life != self._life:
            self._life, self._best_x = life, 0
            self._num_lives_and_levels += 1
        if self._x <= MAX_X:
            self._best_x = max(self._best_x, self._x)
