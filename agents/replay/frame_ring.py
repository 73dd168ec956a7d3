"""A memory-mapped ring buffer of rows per environment that detects lost and damaged rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from tensordict import TensorDict

from agents.replay.checksums import CHECKSUM, NO_CHECKSUM, row_checksums
from agents.replay.memory_map import flush_table, open_table

Indices = NDArray[np.int64]


class FrameRing:
    """A ring buffer with the newest rows of every environment.

    The time of a row is its number within its environment, from 0. Only a window of the newest rows
    may be read. The files also hold a margin of older rows. Rows that are written after a state was
    saved overwrite this margin first. A process that loads the state therefore finds the complete
    window, unless more than `rows_until_overwrite` rows were written after the state was saved.

    Each row that a saved state needs has a checksum, which is verified when the state is loaded.
    Damaged rows keep a checksum that never matches. If the process is killed before the next save,
    the same state can be loaded again, and the same rows are found.

    Args:
        folder: folder of the files.
        num_envs: number of environments.
        window: number of rows of an environment that can be read.
        num_rows: number of rows of an environment in the files, more than ``window``.
        frame_size: bytes of a frame.

    Attributes:
        heads: time of the next row of each environment, int64 ``(num_envs,)``.
        floors: time before which the rows of each environment were lost, int64 ``(num_envs,)``.
        missing_rows: number of rows of the window that were overwritten, or that `drop_before`
            dropped, since a state was loaded.
        damaged_rows: times of the damaged rows in the window of each environment when a state was
            loaded, ``num_envs`` arrays.
        table: the memory-mapped columns, ``(num_envs, num_rows)``.
        revision: a number that changes whenever rows are written, dropped or restored.

    Raises:
        InsufficientDiskSpace: the disk has no space for the files.
        ValueError: the folder holds files of another size, or links.
    """

    def __init__(
        self, folder: Path, num_envs: int, window: int, num_rows: int, frame_size: int
    ) -> None:
        self.missing_rows = self.revision = 0
        self.table = open_table(folder, num_envs, num_rows, frame_size)
        self._folder, self._window, self._num_rows = folder, window, num_rows
        self._columns = {
            name: np.asarray(column).reshape(num_envs * num_rows, *column.shape[2:])
            for name, column in self.table.items()
        }
        self.heads: Indices = np.zeros(num_envs, np.int64)
        self.floors: Indices = np.zeros(num_envs, np.int64)
        self._unsaved_tails = self._saved_tails = self.floors
        self._num_sealed = self.heads.copy()
        self.damaged_rows = self._no_rows()

    @property
    def tails(self) -> Indices:
        """Time of the oldest row in the window of each environment, int64 ``(num_envs,)``."""
        return np.maximum(self.floors, self.heads - self._window)

    @property
    def nbytes(self) -> int:
        """Bytes on disk."""
        return sum(column.nbytes for column in self._columns.values())

    @property
    def rows_until_overwrite(self) -> int:
        """Rows that each environment can write before rows of the last saved state are lost."""
        return max(0, int((self._saved_tails + self._num_rows - self.heads).min()))

    def append(self, envs: Indices, **columns: ArrayLike) -> None:
        """Write the next row of some environments.

        Args:
            envs: environment indices without duplicates, int64 ``(n,)``.
            columns: every column except ``stamp`` and ``checksum``, each ``(n, ...)`` or one
                value for all rows.
        """
        slots = self.slots(envs, self.heads[envs])
        self.heads[envs] += 1
        self.revision += 1
        for name, values in columns.items():
            self._columns[name][slots] = values
        # time + 1, because a row that was never written has the stamp 0
        self._columns["stamp"][slots] = self.heads[envs]

    def slots(self, envs: Indices, times: Indices) -> Indices:
        """Return the positions of rows in the columns; ``envs`` and ``times`` are broadcast."""
        return envs * self._num_rows + times % self._num_rows

    def take(self, name: str, slots: Indices) -> NDArray[Any]:
        """Return a copy of a column at ``slots``."""
        return self._columns[name].take(slots, axis=0)

    def span(self, name: str, env: int, start: int, stop: int) -> NDArray[Any]:
        """Return a column of one environment from time ``start`` up to, excluding, ``stop``."""
        rows = self._columns[name][env * self._num_rows : (env + 1) * self._num_rows]
        first, last = start % self._num_rows, stop % self._num_rows
        return rows[first:last] if first <= last else np.concatenate((rows[first:], rows[:last]))

    def intact(self, env: int) -> NDArray[np.bool_]:
        """Return for each row in the window of an environment whether it is still stored."""
        tail, head = int(self.tails[env]), int(self.heads[env])
        intact: NDArray[np.bool_] = self.span("stamp", env, tail, head) == np.arange(tail, head) + 1
        return intact

    def drop_before(self, env: int, time: int) -> None:
        """Drop the rows of an environment before a time, and count them as missing."""
        self.missing_rows += max(0, time - int(self.tails[env]))
        self.floors[env] = max(time, self.floors[env])
        self.revision += 1

    def rewrite(self, env: int, times: Indices, **columns: ArrayLike) -> None:
        """Change columns of rows that are stored, and update the checksums of undamaged rows."""
        slots = self.slots(np.array(env), times)
        for name, values in columns.items():
            self._columns[name][slots] = values
        damaged = np.isin(times, self.damaged_rows[env])
        checksums = np.where(damaged, NO_CHECKSUM, row_checksums(self._columns, slots))
        self._columns[CHECKSUM][slots] = checksums
        self.revision += 1

    def clear(self) -> None:
        """Drop all rows."""
        self.heads, self.floors = np.zeros_like(self.heads), np.zeros_like(self.floors)
        self._unsaved_tails = self._saved_tails = self.floors
        self._num_sealed = self.heads.copy()
        self.damaged_rows = self._no_rows()
        self.revision += 1

    def state_dict(self) -> dict[str, Any]:
        """Return `heads` and `floors`. The rows themselves are on disk after `flush`."""
        self._unsaved_tails = self.tails
        return {
            "heads": torch.from_numpy(self.heads.copy()),
            "floors": torch.from_numpy(self.floors.copy()),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore `heads` and `floors`, drop overwritten rows, and erase damaged ones.

        Rows that differ from their checksums are filled with zeros and are listed in
        `damaged_rows`. If they are more than half of the rows of an environment, the rows up to
        the last one are dropped instead.

        Raises:
            ValueError: the state has another number of environments.
        """
        if len(state["heads"]) != len(self.heads):
            raise ValueError(
                f"the replay state has {len(state['heads'])} environments; resume with as many, "
                f"not with {len(self.heads)}"
            )
        self.heads, self.floors = (state[name].numpy().copy() for name in ("heads", "floors"))
        self._num_sealed = self.heads.copy()
        self.missing_rows = 0
        self.damaged_rows = self._no_rows()
        for env in range(len(self.heads)):
            self._erase_damage(env)
        self.revision += 1
        self._saved_tails = self.tails

    def _no_rows(self) -> list[Indices]:
        return [np.zeros(0, np.int64)] * len(self.heads)

    def _erase_damage(self, env: int) -> None:
        """Drop the overwritten rows of an environment, and erase the damaged ones."""
        times = np.arange(self.tails[env], self.heads[env])
        slots = self.slots(np.array(env), times)
        stamps, checksums = self.take("stamp", slots), self.take(CHECKSUM, slots)
        intact = (stamps == times + 1) & (checksums == row_checksums(self._columns, slots))
        later = (stamps > times + 1) & (stamps % self._num_rows == (times + 1) % self._num_rows)
        overwritten = np.logical_and.accumulate(later & ~intact)  # the oldest are overwritten first
        if overwritten.any():
            self.drop_before(env, int(times[overwritten][-1]) + 1)
        damaged = times[~intact & (times >= self.floors[env])]
        if 2 * damaged.size > self.heads[env] - self.tails[env]:
            self.drop_before(env, int(damaged[-1]) + 1)
            damaged = damaged[:0]
        self.damaged_rows[env] = damaged
        blank = {name: 0 for name in self._columns if name not in ("stamp", CHECKSUM)}
        self.rewrite(env, damaged, stamp=damaged + 1, **blank)

    def mark_saved(self) -> None:
        """Allow overwriting of rows that only states before the last `state_dict` need."""
        self._saved_tails = self._unsaved_tails

    def flush(self) -> None:
        """Add checksums to the new rows, and block until all rows are on disk.

        Raises:
            OSError: the disk is full, or a file is missing.
        """
        oldest = np.maximum(self._num_sealed, self.heads - self._num_rows)
        for env, (start, stop) in enumerate(zip(oldest, self.heads, strict=True)):
            self.rewrite(env, np.arange(start, stop))
        self._num_sealed = self.heads.copy()
        flush_table(self._folder)

    def close(self) -> None:
        """Release the files. It is safe to call this more than once."""
        self._columns = {}
        self.table = TensorDict()
