"""The files of a memory: a table of single frames and what happened at each, mapped into memory."""

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
"""The columns with one number a row; a row has a frame besides."""


class InsufficientDiskSpace(OSError):
    """Raised when the disk has no room for a memory."""

    def __init__(self, needed: int, folder: Path, free: int) -> None:
        super().__init__(
            errno.ENOSPC,
            f"the memory needs {needed / 1e9:.2f} GB more at {folder}, where {free / 1e9:.2f} GB "
            "are free: choose a smaller memory or another folder",
        )

    def __str__(self) -> str:
        return str(self.strerror)


def open_table(folder: Path, lanes: int, rows: int, frame_size: int) -> TensorDict:
    """Open the table in ``folder``, or make one whose whole space is reserved.

    A sparse file would grow as rows are written, and a disk that is full by then kills whoever has
    mapped it (SIGBUS), without an error to catch.

    Args:
        folder: made where it is missing.
        lanes: how many games have rows of their own.
        rows: how many rows each has.
        frame_size: bytes of a frame.

    Returns:
        Memory-mapped tensors ``(lanes, rows)`` of `COLUMNS`, and ``frame``, uint8
        ``(lanes, rows, frame_size)``. What was never written is 0.

    Raises:
        InsufficientDiskSpace: the disk has no room for it.
        ValueError: the folder holds a table of another size.
    """
    shapes = {name: (torch.Size((lanes, rows)), dtype) for name, dtype in COLUMNS.items()}
    shapes["frame"] = torch.Size((lanes, rows, frame_size)), torch.uint8
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
    return TensorDict(columns, batch_size=[lanes, rows])


def flush_table(folder: Path) -> None:
    """Wait until all that was written to the table in ``folder`` is on disk."""
    for path in folder.glob("*.memmap"):
        with path.open("rb+") as file:
            os.fsync(file.fileno())


def _check_sizes(sizes: dict[Path, int]) -> None:
    for path, size in sizes.items():
        if path.exists() and path.stat().st_size != size:
            raise ValueError(
                f"{path} has {path.stat().st_size} bytes where this memory needs {size}; go on "
                "with the number of games and the capacity it was made with, or in another folder"
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
        zeros = bytes(2**20)  # macOS has no such call: what is written is reserved, too
        for start in range(0, size, len(zeros)):
            file.write(zeros[: size - start])
