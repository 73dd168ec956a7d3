"""Recognizes checkpoint files by their first and last bytes, without torch."""

from __future__ import annotations

import zipfile
from pathlib import Path

from mario.errors import UsageError

LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""First bytes of files that torch wrote before version 1.6, which have no CRCs."""


class CheckpointError(UsageError):
    """Raised when a file cannot be used as a checkpoint; the message names the file."""


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
