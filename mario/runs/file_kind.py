"""Recognizes run folders and checkpoint files without torch, so that others are refused fast."""

from __future__ import annotations

import zipfile
from pathlib import Path

from mario.errors import UsageError
from mario.system.file_lock import is_locked

CONFIG, LOCK = "config.yaml", "lock"
"""Files in every run folder."""
LEVELS = "levels.json"
"""File in the folder of a list of levels, see `mario.levels`."""

LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""First bytes of files that torch wrote before version 1.6, which have no CRCs."""


class CheckpointError(UsageError):
    """Raised when a file cannot be used as a checkpoint; the message names the file."""


def check_is_run(path: Path) -> None:
    """Check that a path is a run which no process is training.

    This is fast. A command calls it before it imports torch.

    Args:
        path: folder of a run, or a checkpoint in it.

    Raises:
        UsageError: it is not.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist; give the folder of a run")
    folder = folder_of(path)
    if not (folder / CONFIG).is_file():
        raise not_a_run(folder)
    if is_locked(folder / LOCK):
        raise locked_run(folder)


def is_list(path: Path) -> bool:
    """Return whether a path is the folder of a list of levels."""
    return (path / LEVELS).is_file()


def folder_of(path: Path) -> Path:
    """Return the folder of a checkpoint, or the folder itself."""
    return path.parent if path.is_file() else path


def not_a_run(path: Path) -> UsageError:
    """Return the error for a folder that is no run."""
    return UsageError(f"{path} is not a run: it has no {CONFIG}; give the folder of a run")


def locked_run(path: Path) -> UsageError:
    """Return the error for a run that another process is training."""
    return UsageError(f"another process is training in {path}; stop it or give another run")


def check_is_archive(path: Path) -> None:
    """Check that a file exists and has the form of a file that `torch.save` wrote.

    This is fast. A command calls it before it imports torch. `mario.runs.checkpoint.load` checks
    the whole content.

    Raises:
        CheckpointError: it does not.
    """
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "does not exist"
        raise CheckpointError(f"checkpoint {path} {kind}; give the path of a .chkpt file")
    try:
        is_archive = is_legacy(path) or zipfile.is_zipfile(path)
    except zipfile.BadZipFile:
        is_archive = False
    except OSError as error:
        raise CheckpointError(f"checkpoint {path} cannot be read: {error.strerror}") from None
    if not is_archive:
        raise CheckpointError(
            f"checkpoint {path} is damaged or not a checkpoint: it is not a complete ZIP archive"
        )


def is_legacy(path: Path) -> bool:
    """Return whether torch before version 1.6 wrote a file.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        return file.read(len(LEGACY_MAGIC)) == LEGACY_MAGIC
