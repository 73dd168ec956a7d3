"""Where metrics go: text files that can be cut back to an earlier size, and TensorBoard."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO


class RowFile:
    """A text file under a header that grows row by row.

    Nothing is touched before the first row, so that `restore` can still take up an earlier
    session's file. Rows that could not be written, on a full disk, are kept and tried again.

    Args:
        path: the file; what it holds is replaced, unless `restore` is called first.
        header: its first line.
    """

    def __init__(self, path: Path, header: str) -> None:
        self.path = path
        self._pending = f"{header}\n".encode()
        self._written = 0
        self._file: BinaryIO | None = None

    @property
    def size(self) -> int:
        """Bytes of the file, with what is still to be written."""
        return self._written + len(self._pending)

    def append(self, row: str) -> None:
        """Add a row.

        Raises:
            OSError: it cannot be written now; it will be with the next that can.
        """
        self._pending += f"{row}\n".encode()
        self._write()

    def sync(self) -> None:
        """Make every row durable.

        Raises:
            OSError: that cannot be done now.
        """
        os.fsync(self._write().fileno())

    def restore(self, size: int) -> str:
        """Cut the file back to an earlier size, or to the whole rows there are when it is shorter.

        Args:
            size: what `size` was.

        Returns:
            What the file still holds.
        """
        content = self.path.read_bytes()[:size] if self.path.exists() else b""
        kept = content[: content.rfind(b"\n") + 1]
        if kept:
            self._file = open(self.path, "r+b", buffering=0)  # noqa: SIM115 - open for the session
            self._file.truncate(len(kept))
            self._file.seek(0, os.SEEK_END)
            self._pending, self._written = b"", len(kept)
        return kept.decode(errors="replace")

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _write(self) -> BinaryIO:
        if self._file is None:
            self._file = open(self.path, "wb", buffering=0)  # noqa: SIM115 - open for the session
        while self._pending:
            # Unbuffered: after an error it is known to the byte how much of a row got through.
            count = self._file.write(self._pending)
            self._pending = self._pending[count:]
            self._written += count
        return self._file


class Board:
    """Where scalars are shown; this one shows none."""

    def resume_after(self, step: int) -> None:
        """Withdraw what an earlier session showed beyond a step."""

    def write(self, scalars: Mapping[str, float], step: int) -> None:
        """Show scalars by tag, at a step."""

    def close(self) -> None:
        """Show what has been held back."""


class TensorBoard(Board):
    """Writes TensorBoard's event files.

    Args:
        folder: where they go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._purge_step = 0
        self._writer: Any = None

    def resume_after(self, step: int) -> None:
        """Withdraw what an earlier session showed beyond a step."""
        self._purge_step = step + 1

    def write(self, scalars: Mapping[str, float], step: int) -> None:
        """Show scalars by tag, at a step."""
        if self._writer is None:
            # Imported late: it takes longer than everything else here together.
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(self._folder, purge_step=self._purge_step, flush_secs=30)
        for tag, scalar in scalars.items():
            self._writer.add_scalar(tag, scalar, step)

    def close(self) -> None:
        """Show what has been held back."""
        if self._writer is not None:
            self._writer.close()
