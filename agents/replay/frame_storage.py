"""A ring of rows for each game, which finds out what it lost between two processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from tensordict import TensorDict

from agents.replay.memory_map import flush_table, open_table

Indices = NDArray[np.int64]


class FrameRing:
    """Rows of several lanes, numbered by how many their lane had before; the newest are kept.

    Only a window of the newest is to be read. The older ones beside it are a margin: the rows that
    a process wrote after it saved its state are in what was the margin then. Another that loads the
    state finds the window of that time whole, if no more than `margin_left` rows were written.

    Args:
        folder: where the files are.
        lanes: how many games there are.
        window: rows of a lane that can be read.
        rows: rows of a lane that there are, more than the window has.
        frame_size: bytes of a frame.

    Attributes:
        heads: the number of the next row of each lane, int64 ``(lanes,)``.
        floors: the number before which rows of each lane were lost, int64 ``(lanes,)``.
        lost_rows: how many rows of the window were not there when a state was loaded.
        table: the memory-mapped columns, ``(lanes, rows)``.

    Raises:
        InsufficientDiskSpace: the disk has no room for it.
        ValueError: the folder holds a table of another size.
    """

    def __init__(self, folder: Path, lanes: int, window: int, rows: int, frame_size: int) -> None:
        self.heads: Indices = np.zeros(lanes, np.int64)
        self.lost_rows = 0
        self.table = open_table(folder, lanes, rows, frame_size)
        self._folder, self._window, self._rows = folder, window, rows
        self._columns = {
            name: np.asarray(column).reshape(lanes * rows, *column.shape[2:])
            for name, column in self.table.items()
        }
        self.floors: Indices = np.zeros(lanes, np.int64)
        self._offered = self._kept = self.floors

    @property
    def tails(self) -> Indices:
        """The number of the oldest row in each window, int64 ``(lanes,)``."""
        return np.maximum(self.floors, self.heads - self._window)

    @property
    def nbytes(self) -> int:
        """Bytes on disk."""
        return sum(column.nbytes for column in self._columns.values())

    @property
    def margin_left(self) -> int:
        """Rows that each lane may still write before the last saved state is harmed."""
        return max(0, int((self._kept + self._rows - self.heads).min()))

    def append(self, lanes: Indices, **columns: ArrayLike) -> None:
        """Write the next row of some lanes.

        Args:
            lanes: which, each once, int64 ``(n,)``.
            columns: all but ``stamp``, each ``(n, ...)`` or one value for all.
        """
        places = self._places(lanes, self.heads[lanes])
        self.heads[lanes] += 1
        for name, values in columns.items():
            self._columns[name][places] = values
        # one more than the number, since what was never written is 0
        self._columns["stamp"][places] = self.heads[lanes]

    def take(self, name: str, lanes: Indices, numbers: Indices) -> NDArray[Any]:
        """Copy what a column has at rows; lanes and numbers are broadcast together."""
        return self._columns[name].take(self._places(lanes, numbers), axis=0)

    def span(self, name: str, lane: int, start: int, stop: int) -> NDArray[Any]:
        """What a column has from row ``start`` to before row ``stop`` of a lane's window."""
        own = self._columns[name][lane * self._rows : (lane + 1) * self._rows]
        first, last = start % self._rows, stop % self._rows
        return own[first:last] if first <= last else np.concatenate((own[first:], own[:last]))

    def intact(self, lane: int) -> NDArray[np.bool_]:
        """For each row of a lane's window, whether it is the one that belongs there."""
        tail, head = int(self.tails[lane]), int(self.heads[lane])
        intact: NDArray[np.bool_] = (
            self.span("stamp", lane, tail, head) == np.arange(tail, head) + 1
        )
        return intact

    def state_dict(self) -> dict[str, Any]:
        """The cursors; the rows themselves are on disk after `flush`."""
        self._offered = self.tails
        return {
            "heads": torch.from_numpy(self.heads.copy()),
            "floors": torch.from_numpy(self.floors.copy()),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to the cursors of a state, and drop rows that were overwritten or never flushed.

        Raises:
            ValueError: the state is of another number of lanes.
        """
        if len(state["heads"]) != len(self.heads):
            raise ValueError(
                f"the memory's state is of {len(state['heads'])} games; "
                f"go on with as many, not with {len(self.heads)}"
            )
        self.heads, self.floors = (state[name].numpy().copy() for name in ("heads", "floors"))
        tails = self.tails
        for lane, tail in enumerate(tails):
            wrong = np.flatnonzero(~self.intact(lane))
            if wrong.size:
                self.floors[lane] = tail + wrong[-1] + 1
        self._kept = self.tails
        self.lost_rows = int((self._kept - tails).sum())

    def saved(self) -> None:
        """The last `state_dict` is on disk: what only earlier ones need may be overwritten."""
        self._kept = self._offered

    def flush(self) -> None:
        """Wait until all rows are on disk."""
        flush_table(self._folder)

    def close(self) -> None:
        """Let go of the files. Closing twice is harmless."""
        self._columns = {}
        self.table = TensorDict()

    def _places(self, lanes: Indices, numbers: Indices) -> Indices:
        return lanes * self._rows + numbers % self._rows
