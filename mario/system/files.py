"""Atomic writes: a crash at any moment leaves either the old file or the new one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".tmp-"
"""Prefix of temporary files."""


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file atomically: write a temporary file, flush it to disk, and rename it.

    Args:
        path: the file; an existing file is replaced.
        write: writes the content to the file that it receives.

    Raises:
        OSError: the disk is full, read-only or missing; ``path`` is unchanged.
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


def link_atomically(path: Path, other: Path) -> None:
    """Make ``other`` a second name of the file ``path``, replacing an existing ``other``.

    If ``path`` does not exist, nothing happens.
    """
    if not path.exists():
        return
    temporary = other.with_name(f"{TEMPORARY}{os.getpid()}-{other.name}")
    temporary.unlink(missing_ok=True)
    os.link(path, temporary)
    os.replace(temporary, other)
    temporary.unlink(missing_ok=True)  # rename does nothing if both names are the same file
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush the renames in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_temporary_files(folder: Path) -> None:
    """Remove temporary files that a killed process left behind."""
    for temporary in folder.glob(f"{TEMPORARY}*"):
        temporary.unlink(missing_ok=True)
