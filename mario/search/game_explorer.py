"""Explores any NES game by Go-Explore, in Python.

Sources: Ecoffet et al., Go-Explore (arXiv 1901.10995); First return, then explore (2004.12919).

Super Mario Bros. has a compiled explorer in ``mario/games/native`` with the same results.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from mario.games.endings import SUCCESSES
from mario.games.nes_game import GameState, NesGame
from mario.search.cell_archive import Cell, CellArchive, Way
from mario.search.interface import Play
from mario.search.split_mix import SplitMix64, mix

ROUND_SIZE = 32
"""Explorations between two updates of the archive; in compiled code they run in parallel."""

LENGTHS = (12, 25, 50)
"""Steps of an exploration."""

MAX_HOLD = 9
"""Steps for which an action is held at most."""


@dataclass
class Exploration:
    """Random play from a cell.

    Attributes:
        cell: The cell where it starts.
        seed: Seed of its actions.
        play: Its steps.
        discoveries: The cells that it found, with ways from the start of the game.
        solved: Whether it ended with the goal of the game.
    """

    cell: Cell[GameState]
    seed: int
    play: bytearray = field(default_factory=bytearray)
    discoveries: list[Cell[GameState]] = field(default_factory=list)
    solved: bool = False


class GameExplorer:
    """See `mario.search.interface.Explorer`.

    Repeatedly returns to a cell of the archive and plays random actions from there, each held for
    a random number of steps.

    Args:
        game: The game, at the start of its episode.
        button_masks: The buttons of each action.
        skip: Frames per step.
        seed: Seed of the random choices.
        max_length: Steps of the longest play, or 0 for no limit.
    """

    def __init__(
        self,
        game: NesGame,
        button_masks: Sequence[int],
        *,
        skip: int,
        seed: int,
        max_length: int = 0,
    ) -> None:
        self._game, self._masks, self._skip = game, button_masks, skip
        self._max_length = max_length
        self.archive: CellArchive[GameState] = CellArchive(mix(seed))
        self._random = SplitMix64(mix(seed + 1))
        self._steps = 0
        self._solution: Play | None = None
        start = Cell(game.cell(), game.objective(), Way(), game.save_state(screen=False))
        self.archive.add(start)

    def run(self, steps: int) -> None:
        """See `Explorer.run`."""
        end = self._steps + steps
        while self._steps < end and self._solution is None:
            round_ = [
                Exploration(self.archive.cells[self.archive.choose()], self._random.next())
                for _ in range(ROUND_SIZE)
            ]
            for exploration in round_:
                self._explore(exploration)
            for exploration in round_:
                self._add(exploration)

    def steps(self) -> int:
        """See `Explorer.steps`."""
        return self._steps

    def num_cells(self) -> int:
        """See `Explorer.num_cells`."""
        return len(self.archive)

    def best_objective(self) -> float:
        """See `Explorer.best_objective`."""
        return self._best_cell().objective

    def best_play(self) -> Play:
        """See `Explorer.best_play`."""
        return self._best_cell().way.play()

    def solution(self) -> Play | None:
        """See `Explorer.solution`."""
        return self._solution

    def _best_cell(self) -> Cell[GameState]:
        return max(self.archive.cells, key=lambda cell: (cell.objective, -cell.way.length))

    def _explore(self, exploration: Exploration) -> None:
        game, random = self._game, SplitMix64(exploration.seed)
        game.load_state(exploration.cell.state)
        length = LENGTHS[random.below(len(LENGTHS))]
        if self._max_length:
            length = min(length, self._max_length - exploration.cell.way.length)
        found: set[Hashable] = set()
        held = buttons = 0
        for _ in range(length):
            if held == 0:
                buttons = self._masks[random.below(len(self._masks))]
                held = 1 + random.below(MAX_HOLD)
            held -= 1
            exploration.play.append(buttons)
            ending = game.play_frames(buttons, self._skip)
            if ending is not None:
                exploration.solved = ending in SUCCESSES
                return
            self._record_cell(exploration, found)

    def _record_cell(self, exploration: Exploration, found: set[Hashable]) -> None:
        """Record the current cell if the archive could gain by it."""
        key, start = self._game.cell(), exploration.cell.way
        if key in found or not self.archive.improves(key, start.length + len(exploration.play)):
            return
        found.add(key)
        way = start.extend(exploration.play)
        state = self._game.save_state(screen=False)
        exploration.discoveries.append(Cell(key, self._game.objective(), way, state))

    def _add(self, exploration: Exploration) -> None:
        self._steps += len(exploration.play)
        if exploration.solved:
            play = exploration.cell.way.play() + bytes(exploration.play)
            if self._solution is None or len(play) < len(self._solution):
                self._solution = play
        for cell in exploration.discoveries:
            self.archive.add(cell)
