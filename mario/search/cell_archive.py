"""The archive of Go-Explore: the cells that a search has reached, with the shortest way to each."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mario.search.interface import Play
from mario.search.split_mix import SplitMix64

S = TypeVar("S")

NEWEST = 16
"""Half of the choices are among this many of the newest cells."""

TIE_BITS = 32


@dataclass(frozen=True, eq=False)
class Way:
    """A way from the start of a game; ways that begin alike share their first steps.

    Attributes:
        length: Number of steps.
        buttons: Buttons of the last step.
        previous: The way without the last step, None at the start.
    """

    length: int = 0
    buttons: int = 0
    previous: Way | None = None

    def extend(self, play: Iterable[int]) -> Way:
        """Return the way with more steps at its end."""
        way = self
        for buttons in play:
            way = Way(way.length + 1, buttons, way)
        return way

    def play(self) -> Play:
        """Return the buttons of all steps.

        >>> list(Way().extend([128, 129]).play())
        [128, 129]
        """
        buttons = []
        way = self
        while way.previous is not None:
            buttons.append(way.buttons)
            way = way.previous
        return bytes(reversed(buttons))


@dataclass(frozen=True)
class Cell(Generic[S]):
    """A set of similar states of a game, represented by the one that is reached soonest.

    Attributes:
        key: What the states have in common, see `NesGame.cell`.
        objective: See `NesGame.objective`.
        way: The shortest known way to the cell.
        state: The state at its end.
    """

    key: Hashable
    objective: float
    way: Way
    state: S


class CellArchive(Generic[S]):
    """Cells, in the order in which they were found.

    Args:
        seed: Seed of the choices.
    """

    def __init__(self, seed: int) -> None:
        self.cells: list[Cell[S]] = []
        self._random = SplitMix64(seed)
        self._indices: dict[Hashable, int] = {}
        # The number of choices of each cell, and below it a random number that decides between
        # equals. Entries of the queue that differ from it are outdated.
        self._priorities: list[int] = []
        self._queue: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self.cells)

    def improves(self, key: Hashable, length: int) -> bool:
        """Return whether a way of this length leads to a new cell or is shorter than the known."""
        index = self._indices.get(key)
        return index is None or length < self.cells[index].way.length

    def add(self, cell: Cell[S]) -> None:
        """Add a cell if it is new, or if its way is shorter than the known one."""
        if not self.improves(cell.key, cell.way.length):
            return
        index = self._indices.setdefault(cell.key, len(self.cells))
        if index == len(self.cells):
            self.cells.append(cell)
            self._priorities.append(0)
        else:
            self.cells[index] = cell
        self._set_choices(index, 0)

    def choose(self) -> int:
        """Choose the index of a cell to explore from.

        Half of the choices are one of the newest cells, the others one chosen least often.
        """
        if self._random.below(2):
            index = len(self) - 1 - self._random.below(min(len(self), NEWEST))
        else:
            index = self._least_chosen()
        self._set_choices(index, self.num_choices(index) + 1)
        return index

    def num_choices(self, index: int) -> int:
        """Return how often a cell was chosen since its way was last improved."""
        return self._priorities[index] >> TIE_BITS

    def _least_chosen(self) -> int:
        while self._queue[0][0] != self._priorities[self._queue[0][1]]:
            heapq.heappop(self._queue)
        return self._queue[0][1]

    def _set_choices(self, index: int, choices: int) -> None:
        self._priorities[index] = choices << TIE_BITS | self._random.next() >> TIE_BITS
        heapq.heappush(self._queue, (self._priorities[index], index))
