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
    "checksum": torch.int64,
}
"""Scalar columns of a row and their dtypes. A row also has a frame."""

NO_ACTION = -1
"""Action of a row that only holds the final frame of an episode and is not a transition."""

LOST = -2
"""Action of a row that cannot be used because rows near it were damaged; not a transition."""

MAX_AGE = 255
"""Maximum age of a row. The age is the number of steps since the episode began."""

NO_FALLOCATE = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.ENODEV)
"""Errors of `os.posix_fallocate` on file systems that do not support it; macOS lacks the call."""


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

    Missing files are created, and truncated ones are extended. Their rows do not match their
    checksums.

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
        ValueError: the folder holds a table of another size, or a link to another file.
    """
    shapes = {name: (torch.Size((num_envs, num_rows)), dtype) for name, dtype in COLUMNS.items()}
    shapes["frame"] = torch.Size((num_envs, num_rows, frame_size)), torch.uint8
    sizes = {
        folder / f"{name}.memmap": math.prod(shape) * dtype.itemsize
        for name, (shape, dtype) in shapes.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    _check_files(sizes)
    _reserve(folder, sizes)
    columns = {
        name: MemoryMappedTensor.from_filename(folder / f"{name}.memmap", dtype, shape)
        for name, (shape, dtype) in shapes.items()
    }
    return TensorDict(columns, batch_size=[num_envs, num_rows])


def flush_table(folder: Path) -> None:
    """Block until everything written to the table in ``folder`` is on disk.

    Raises:
        OSError: the disk is full, or a file is missing.
    """
    for name in (*COLUMNS, "frame"):
        descriptor = os.open(folder / f"{name}.memmap", os.O_RDWR | os.O_NOFOLLOW)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _check_files(sizes: dict[Path, int]) -> None:
    """Check that the files can be written without changing anything but this table."""
    for path in (next(iter(sizes)).parent, *sizes):
        if path.is_symlink() or (path.is_file() and path.stat().st_nlink > 1):
            raise ValueError(
                f"{path} is a link, and writing to it would change other files; replace it by a "
                "copy of its content"
            )
    for path in sizes:
        if path.is_dir():
            raise ValueError(f"{path} is a folder; remove it to create an empty replay memory")
    found = {path: path.stat().st_size for path in sizes if path.exists()}
    fits = any(found[path] == sizes[path] for path in found)
    for path, size in found.items():
        if size > sizes[path] or (size < sizes[path] and not fits):
            raise ValueError(
                f"{path} has {size} bytes but this replay memory needs {sizes[path]}; use "
                "the number of environments and the capacity it was created with, or another folder"
            )


def _reserve(folder: Path, sizes: dict[Path, int]) -> None:
    present = {path: path.stat().st_size if path.exists() else 0 for path in sizes}
    missing = {path: size for path, size in sizes.items() if present[path] < size}
    needed = sum(size - present[path] for path, size in missing.items())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InsufficientDiskSpace(needed, folder, free)
    try:
        for path, size in missing.items():
            _allocate(path, present[path], size)
    except OSError as error:
        for path in missing:
            if not present[path]:
                path.unlink(missing_ok=True)
        raise InsufficientDiskSpace(needed, folder, free) from error


def _allocate(path: Path, start: int, size: int) -> None:
    """Reserve the disk space of a file from ``start`` to ``size``, filled with zeros."""
    with path.open("ab") as file:
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(file.fileno(), start, size - start)
                return
            except OSError as error:
                if error.errno not in NO_FALLOCATE:
                    raise
        zeros = bytes(2**20)  # writing zeros reserves the space as well
        for position in range(start, size, len(zeros)):
            file.write(zeros[: size - position])
