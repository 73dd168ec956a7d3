"""Writing files so that a crash, at any moment, leaves either the old file or the new one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".tmp-"


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a whole file under a new name, make it durable, then give it its name in one rename.

    Args:
        path: the file's name; what stood there before is replaced only by the finished file.
        write: writes the content.

    Raises:
        OSError: the disk is full, read-only or gone; ``path`` is as it was.
    """
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
    try:
        with open(temporary, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def keep_as(path: Path, other: Path) -> None:
    """Give a file a second name, in place of whatever had that name; the first name stays."""
    if not path.exists():
        return
    temporary = other.with_name(f"{TEMPORARY}{os.getpid()}-{other.name}")
    temporary.unlink(missing_ok=True)
    os.link(path, temporary)
    os.replace(temporary, other)
    temporary.unlink(missing_ok=True)  # rename does nothing where both names are one file
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the renames in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed writer left half written."""
    for leftover in folder.glob(f"{TEMPORARY}*"):
        leftover.unlink(missing_ok=True)
