"""Super Mario Bros. and its Lost Levels, scored as the literature scores them.

Reward, end and ``info`` are those of gym-super-mario-bros 7.4.0, frame by frame. Later versions of
that package have another reward, whose scores do not compare.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from mario.errors import UsageError
from mario.games.nes_game import NesGame, NesOptions
from mario.games.roms import mario_rom
from mario.games.smb_levels import level_location
from mario.games.smb_ram import MarioRam

START_BUTTON = 8
MAX_STEP_PIXELS = 5
"""Mario never moves as far in a frame, so a greater distance is a jump to another place."""
DEATH_PENALTY = 25
LEVEL_PIXELS = 0x10000
"""More than the length of any level."""


class SuperMarioBros(NesGame):
    """Super Mario Bros.: one level, or the whole game with its three lives.

    The reward of a frame is the pixels moved to the right, less the ticks of the clock, less 25 for
    dying, clipped to 15 both ways. ``info`` has ``coins``, ``flag_get``, ``life``, ``score``,
    ``stage``, ``status``, ``time``, ``world``, ``x_pos``, ``y_pos`` and

    * ``area``: a number for each part of the game that is scrolled through in one piece;
    * ``best_x``: the greatest ``x_pos`` so far of this life in this level;
    * ``ending``: ``"flag"``, ``"death"``, ``"time"`` (the clock ran out), ``"game over"`` (the
      last life of a whole game is lost), ``"truncated"`` or ``""``.
    """

    reward_range = (-15.0, 15.0)

    def __init__(
        self,
        *,
        level: str | None = None,
        look: str = "vanilla",
        lost_levels: bool = False,
        rom: Path | None = None,
        **options: Unpack[NesOptions],
    ) -> None:
        """Start the game.

        Args:
            level: the level to play, e.g. ``"1-1"``; None for the whole game.
            look: which pictures it has: ``"vanilla"``, ``"downsample"``, ``"pixel"`` or
                ``"rectangle"``.
            lost_levels: play the Lost Levels.
            rom: an iNES ROM file to use instead.
            **options: see `NesGame`.

        Raises:
            UsageError: there is no such level, look or ROM.
        """
        self._target = None if level is None else level_location(level, lost_levels)
        super().__init__(rom=rom or mario_rom(look, lost_levels), **options)

    def start(self) -> None:
        """Press start until the clock runs, then wait for its first tick."""
        self.mario = MarioRam(self.ram)
        self._press_start()
        self.wait_while(lambda: self.mario.time == 0, self._enter_level)
        if self.stuck:
            raise UsageError("the ROM does not start like Super Mario Bros.; give another file")
        self._time = self.mario.time
        self.wait_while(self._before_tick, self._press_start)

    def began(self) -> None:
        """See `NesGame.began`."""
        self._time, self._x = self.mario.time, self.mario.x
        self._place, self._places, self._best_x = self._here(), 0, self._x

    def reward(self) -> float:
        """See `NesGame.reward`."""
        mario = self.mario
        moved, ticked = mario.x - self._x, mario.time - self._time
        self._x, self._time = mario.x, mario.time
        self._explore()
        reward = moved if abs(moved) <= MAX_STEP_PIXELS else 0
        reward += min(ticked, 0)
        return reward - DEATH_PENALTY if mario.dying or mario.dead else reward

    def ending(self) -> str:
        """See `NesGame.ending`."""
        mario = self.mario
        if self._target is None:
            # The last world's end shows the princess for ever: the game is won.
            won = self.stuck and mario.world_over
            return "game over" if mario.game_over else "flag" if won else ""
        if mario.flag_get:
            return "flag"
        if mario.dying or mario.dead:
            return "death" if mario.time else "time"
        return ""

    def info(self) -> dict[str, Any]:
        """See `NesGame.info`."""
        return {**self.mario.info(), "area": self.mario.area, "best_x": self._best_x}

    def progress(self) -> float:
        """The way gone in this life and level; another one is always further."""
        return self._places * LEVEL_PIXELS + self._best_x

    def cut_scenes(self) -> None:
        """Leave out deaths, level cards, pipes and the ends of worlds."""
        mario = self.mario
        if mario.dying:
            mario.kill()
            self.emulator.advance(0)
        if self._target is None and mario.world_over:
            time = mario.time
            self.wait_while(lambda: mario.time == time, lambda: self.emulator.advance(0))
        if not self.stuck:
            mario.skip_area_change()
            self.wait_while(lambda: mario.busy or mario.world_over, self._rest)

    def _press_start(self) -> None:
        self.emulator.advance(START_BUTTON)
        self.emulator.advance(0)

    def _enter_level(self) -> None:
        self.emulator.advance(START_BUTTON)
        if self._target is not None:
            self.mario.choose_level(*self._target)
        self.emulator.advance(0)
        self.mario.skip_level_card()

    def _before_tick(self) -> bool:
        before, self._time = self._time, self.mario.time
        return self._time >= before

    def _rest(self) -> None:
        self.mario.skip_level_card()
        self.emulator.advance(0)

    def _here(self) -> tuple[int, int, int]:
        return self.mario.world, self.mario.stage, self.mario.lives

    def _explore(self) -> None:
        """Follow how far Mario has come in this life and level."""
        here = self._here()
        if here != self._place:
            self._place, self._places, self._best_x = here, self._places + 1, 0
        self._best_x = max(self._best_x, self._x)
