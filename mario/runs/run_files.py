"""Copies of the files that a run needs, in its folder, so that it can be resumed without them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mario.errors import UsageError


def collect_files(
    flag: str,
    sources: Sequence[str],
    folder: Path,
    writers: Mapping[str, Callable[[Path], None]] | None = None,
) -> list[Path]:
    """Return the files of a run, which are copied or written if it is new.

    Args:
        flag: name of the flag that names the files, without dashes.
        sources: paths of files, and keys of ``writers``.
        folder: folder of the copies, in the run's folder.
        writers: functions that write files into a folder, by the name that stands for them.

    Returns:
        The copies, in the order of ``sources``.

    Raises:
        UsageError: a file cannot be read.
    """
    writers = writers or {}
    if not folder.exists():
        incomplete = folder.with_suffix(".incomplete")
        shutil.rmtree(incomplete, ignore_errors=True)  # of a run that was killed
        incomplete.mkdir()
        for index, source in enumerate(sources):
            if source in writers:
                writers[source](incomplete)
                continue
            try:
                shutil.copyfile(source, incomplete / f"{index:03}-{Path(source).name}")
            except OSError as error:
                others = "".join(f", or {name}" for name in writers)
                raise UsageError(
                    f"--{flag} {source} cannot be read: {error.strerror}; give the path of a "
                    f"file{others}"
                ) from None
        os.replace(incomplete, folder)
    return sorted(folder.iterdir())
