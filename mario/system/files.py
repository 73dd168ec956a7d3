"""Atomic writes: a crash at any moment leaves either the old file or the new one."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".tmp-"
"""Prefix of temporary files."""

NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
"""Errors of `os.link` on file systems without hard links."""


def write_atomically(
    path: Path, write: Callable[[BinaryIO], object], *, backup: Path | None = None
) -> None:
    """Write a file atomically: write a temporary file, flush it to disk, and rename it.

    Args:
        path: the file; an existing file is replaced.
        write: writes the content to the file that it receives.
        backup: new name of the existing file. It gets this name after the new content is on disk:
            until then, ``path`` and ``backup`` are two files, so that damage to one of them leaves
            the other.

    Raises:
        OSError: the disk is full, read-only or missing; ``path`` is unchanged.
    """
    temporary = _temporary_name(path)
    temporary.unlink(missing_ok=True)
    try:
        with open(temporary, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if backup is not None:
            link_atomically(path, backup)
        _replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def link_atomically(path: Path, other: Path) -> None:
    """Make ``other`` a second name of the file ``path``, replacing an existing ``other``.

    If ``path`` does not exist, nothing happens. A file system without hard links, such as exFAT,
    gets a copy instead.

    Raises:
        OSError: the disk is full or read-only; ``other`` is unchanged.
    """
    if not path.exists():
        return
    temporary = _temporary_name(other)
    temporary.unlink(missing_ok=True)
    try:
        os.link(path, temporary)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        with open(path, "rb") as file:
            write_atomically(other, partial(shutil.copyfileobj, file))
        return
    _replace(temporary, other)
    temporary.unlink(missing_ok=True)  # rename does nothing if both names are the same file
    sync_folder(path.parent)


def set_aside(path: Path) -> Path:
    """Rename a damaged file to ``<name>.damaged``, with a number if that name is taken.

    Returns:
        The new path.

    Raises:
        OSError: the file cannot be renamed.
    """
    for number in itertools.count(1):
        target = path.with_name(f"{path.name}.damaged" + (f"-{number}" if number > 1 else ""))
        if not os.path.lexists(target):
            path.rename(target)
            sync_folder(path.parent)
            return target
    raise AssertionError("unreachable")


def sync_folder(folder: Path) -> None:
    """Flush the renames in a folder to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems
            raise
    finally:
        os.close(descriptor)


def remove_temporary_files(folder: Path) -> None:
    """Remove temporary files that a killed process left behind."""
    for temporary in folder.glob(f"{TEMPORARY}*"):
        if temporary.is_symlink() or not temporary.is_dir():
            temporary.unlink(missing_ok=True)


def _replace(temporary: Path, path: Path) -> None:
    """Rename a file; a folder that has taken its name is renamed first."""
    if path.is_dir() and not path.is_symlink():
        set_aside(path)
    os.replace(temporary, path)


def _temporary_name(path: Path) -> Path:
    return path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
