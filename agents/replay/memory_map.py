"""Memory-mapped files of a replay storage, with their disk space reserved in advance."""

from __future__ import annotations

import errno
import math
import os
import shutil
from pathlib import Path

import torch
from tensordict import MemoryMappedTensor, TensorDict

COLUMNS = {
    "reward": torch.float32,
    "stamp": torch.int64,
    "action": torch.int16,
    "age": torch.uint8,
    "terminated": torch.bool,
}
"""Scalar columns of a row and their dtypes. A row also has a frame."""

NO_ACTION = -1
"""Action of a row that only holds the final frame of an episode and is not a transition."""

MAX_AGE = 255
"""Maximum age of a row. The age is the number of steps since the episode began."""


class InsufficientDiskSpace(OSError):
    """Raised when the disk has no space for a replay storage."""

    def __init__(self, needed: int, folder: Path, free: int) -> None:
        super().__init__(
            errno.ENOSPC,
            f"the replay memory needs {needed / 1e9:.2f} GB more at {folder}, where "
            f"{free / 1e9:.2f} GB are free: choose a smaller capacity or another folder",
        )

    def __str__(self) -> str:
        return str(self.strerror)


def open_table(folder: Path, num_envs: int, num_rows: int, frame_size: int) -> TensorDict:
    """Open the table in ``folder``, or create one and reserve all its disk space.

    A sparse file would grow as rows are written, and a process that writes to a mapped page when
    the disk is full is killed by SIGBUS, without an exception to catch.

    Args:
        folder: created if missing.
        num_envs: number of environments.
        num_rows: rows of each environment.
        frame_size: bytes of a frame.

    Returns:
        Memory-mapped tensors of shape ``(num_envs, num_rows)`` for `COLUMNS`, and ``frame``, uint8
        ``(num_envs, num_rows, frame_size)``. New tables are filled with zeros.

    Raises:
        InsufficientDiskSpace: the disk has no space for the table.
        ValueError: the folder holds a table of another size.
    """
    shapes = {name: (torch.Size((num_envs, num_rows)), dtype) for name, dtype in COLUMNS.items()}
    shapes["frame"] = torch.Size((num_envs, num_rows, frame_size)), torch.uint8
    sizes = {
        folder / f"{name}.memmap": math.prod(shape) * dtype.itemsize
        for name, (shape, dtype) in shapes.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    _check_sizes(sizes)
    _reserve(folder, sizes)
    columns = {
        name: MemoryMappedTensor.from_filename(folder / f"{name}.memmap", dtype, shape)
        for name, (shape, dtype) in shapes.items()
    }
    return TensorDict(columns, batch_size=[num_envs, num_rows])


def flush_table(folder: Path) -> None:
    """Block until everything written to the table in ``folder`` is on disk."""
    for path in folder.glob("*.memmap"):
        with path.open("rb+") as file:
            os.fsync(file.fileno())


def _check_sizes(sizes: dict[Path, int]) -> None:
    for path, size in sizes.items():
        if path.exists() and path.stat().st_size != size:
            raise ValueError(
                f"{path} has {path.stat().st_size} bytes but this replay memory needs {size}; use "
                "the number of environments and the capacity it was created with, or another folder"
            )


def _reserve(folder: Path, sizes: dict[Path, int]) -> None:
    missing = {path: size for path, size in sizes.items() if not path.exists()}
    needed, free = sum(missing.values()), shutil.disk_usage(folder).free
    if needed > free:
        raise InsufficientDiskSpace(needed, folder, free)
    try:
        for path, size in missing.items():
            _allocate(path, size)
    except OSError as error:
        for path in missing:
            path.unlink(missing_ok=True)
        raise InsufficientDiskSpace(needed, folder, free) from error


def _allocate(path: Path, size: int) -> None:
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
            return
        zeros = bytes(2**20)  # macOS lacks the call; writing zeros reserves the space as well
        for start in range(0, size, len(zeros)):
            file.write(zeros[: size - start])
