"""The Legend of Zelda as a game of your own: mario-train --game zelda:Zelda-v0."""

from __future__ import annotations

from typing import Any, Unpack

import gymnasium

from mario import Ending, NesGame
from mario.games.nes_game import NesOptions
from mario.games.roms import packaged_rom

START, SELECT, A = 8, 4, 1
MENUS = (*[START] * 31, *[A] * 6, *[SELECT] * 3, *[START] * 9)
"""Buttons that register a player and start the game."""

# RAM addresses
SCENE_CHANGE, DIRECTION, SCREEN = 0x7C, 0x98, 0xEB
KILLS, RUPEES, HEARTS, HALF_HEART = 0x627, 0x66D, 0x66F, 0x670


class Zelda(NesGame):
    """Zelda with a reward of 1 for each new screen, each rupee and each killed enemy."""

    default_actions = (("up",), ("down",), ("left",), ("right",), ("A",), ("B",))

    def __init__(self, **options: Unpack[NesOptions]) -> None:
        super().__init__(rom=packaged_rom("gym_zelda_1", "Zelda_1.nes"), **options)

    def start_game(self) -> None:
        """Play from power-on to the point where every episode starts."""
        for button in MENUS:
            self.emulator.advance(button)
            self.emulator.advance(0)
        self.advance_while(
            lambda: self.ram[DIRECTION] == 0 or self.ram[SCENE_CHANGE] != 0,
            lambda: self.emulator.advance(0),
        )

    def on_episode_start(self) -> None:
        """Forget what happened in the last episode."""
        self._visited = {self.ram[SCREEN]}
        self._score = self._read_score()

    def reward(self) -> float:
        """Return the reward of the last frame."""
        score, screen = self._read_score(), self.ram[SCREEN]
        reward = max(score - self._score, 0) + (screen not in self._visited)
        self._score = score
        self._visited.add(screen)
        return reward

    def ending(self) -> Ending | None:
        """Return why the game is over, or None while it continues."""
        alive = self.ram[HEARTS] & 0x0F or self.ram[HALF_HEART]
        return None if alive else Ending.DEATH

    def info(self) -> dict[str, Any]:
        """Return the state of the game, for logs and callbacks."""
        return {"screens": len(self._visited), "rupees": self.ram[RUPEES]}

    def _read_score(self) -> int:
        return self.ram[RUPEES] + self.ram[KILLS]


gymnasium.register("Zelda-v0", Zelda)
