"""Writers of metrics: append-only text files and TensorBoard."""

from __future__ import annotations

import csv
import io
import os
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal

from mario.metrics.tensorboard_thread import hide_writer_errors
from mario.system.files import set_aside


class AppendOnlyFile:
    """A text file that starts with a header line and grows line by line.

    The file is opened when the first line is written, so that `restore` can still continue the
    file of an earlier session. Lines that cannot be written, for example because the disk is full,
    are kept and written later.

    Args:
        path: the file. Its content is replaced, unless `restore` is called first.
        header: the first line of the file.

    Attributes:
        damage: one line about the damage that `restore` found, or ``""``.
    """

    def __init__(self, path: Path, header: str) -> None:
        self.path = path
        self.damage = ""
        self._header = self._pending = f"{header}\n".encode()
        self._written = 0
        self._checksum = zlib.crc32(self._header)
        self._file: BinaryIO | None = None

    @property
    def size(self) -> int:
        """Size of the file in bytes, including lines that are still to be written."""
        return self._written + len(self._pending)

    @property
    def checksum(self) -> int:
        """CRC-32 of the file, including lines that are still to be written."""
        return self._checksum

    def append(self, line: str) -> None:
        """Append a line.

        Raises:
            OSError: the line cannot be written now. It will be written with the next line.
        """
        self._add(f"{line}\n".encode())
        self._write()

    def sync(self) -> None:
        """Flush all lines to disk.

        Raises:
            OSError: the lines cannot be written now.
        """
        os.fsync(self._write().fileno())

    def restore(self, size: int, checksum: int) -> str:
        """Truncate the file of an earlier session, and drop an incomplete last line.

        A damaged file is renamed, and its intact lines are written to a new one.

        Args:
            size: earlier value of the property `size`, in bytes.
            checksum: value of the property `checksum` at the same time.

        Returns:
            The remaining content, which is shorter than ``size`` if the file lost lines.
        """
        content = self._read()[:size]
        kept = content[: content.rfind(b"\n") + 1]
        lines = kept.splitlines(keepends=True)
        intact = [line for line in lines if line != self._header and self._is_intact(line)]
        is_complete = len(kept) == size and zlib.crc32(kept) == checksum
        is_shortened = len(kept) < size and lines[:1] + intact == lines
        if not kept:
            if not self._header.startswith(content):
                self._set_aside("no line is intact")
            return ""
        if not (is_complete or (is_shortened and lines[0] == self._header)):
            lost = len(lines) - len(intact) - (lines[0] == self._header)
            self._set_aside(f"lines left out: {lost}")
            self._add(b"".join(intact))
            return self._pending.decode(errors="replace")
        self._file = self._open("r+b")
        self._file.truncate(len(kept))
        self._file.seek(0, os.SEEK_END)
        self._pending, self._written, self._checksum = b"", len(kept), zlib.crc32(kept)
        return kept.decode(errors="replace")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _is_intact(self, line: bytes) -> bool:
        """Return whether a line can be one of this file."""
        try:
            return line.decode().strip().isprintable()
        except UnicodeDecodeError:
            return False

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            self._set_aside(f"it cannot be read ({error.strerror})")
            return b""

    def _set_aside(self, reason: str) -> None:
        try:
            name = set_aside(self.path).name
            self.damage = f"{self.path.name} is damaged: {reason}; it was renamed to {name}"
        except OSError as error:
            self.damage = f"{self.path.name} is damaged: {reason}; {error.strerror}"

    def _add(self, lines: bytes) -> None:
        self._pending += lines
        self._checksum = zlib.crc32(lines, self._checksum)

    def _open(self, mode: Literal["wb", "r+b"]) -> BinaryIO:
        """Open the file for the session; a link is never followed."""
        return open(self.path, mode, buffering=0, opener=_open_no_follow)

    def _write(self) -> BinaryIO:
        if self._file is None:
            self._file = self._open("wb")
        while self._pending:
            # The file is unbuffered, so that `_written` is exact even after an error.
            count = self._file.write(self._pending)
            self._pending = self._pending[count:]
            self._written += count
        return self._file


class CsvFile(AppendOnlyFile):
    """An append-only CSV file.

    Args:
        path: the file.
        columns: names of the columns.
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        super().__init__(path, csv_line(columns))
        self.columns = tuple(columns)

    def append_row(self, cells: Mapping[str, object]) -> None:
        """Append a row.

        Args:
            cells: a value for each column, None for an empty cell. Other names are ignored.

        Raises:
            OSError: the row cannot be written now. It will be written with the next row.
        """
        values = [cells[name] for name in self.columns]
        self.append(csv_line(["" if value is None else value for value in values]))

    def _is_intact(self, line: bytes) -> bool:
        if not super()._is_intact(line):
            return False
        try:
            (cells,) = csv.reader([line.decode()], strict=True)
        except (csv.Error, ValueError):
            return False
        return len(cells) == len(self.columns)


def _open_no_follow(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o644)


def csv_line(cells: Sequence[object]) -> str:
    """Return a line of CSV without its line break.

    >>> csv_line([1, 2.5, 'a "b", c'])
    '1,2.5,"a ""b"", c"'
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


class MetricWriter(ABC):
    """Writes named scalars and images."""

    @abstractmethod
    def resume_after(self, step: int) -> None:
        """Discard what an earlier session wrote after a step. Call this before `write`."""

    @abstractmethod
    def write(self, scalars: Mapping[str, float], step: int) -> None:
        """Write the scalars of a step.

        Args:
            scalars: values by tag.
            step: agent steps so far.
        """

    @abstractmethod
    def write_images(self, images: Mapping[str, Any], step: int) -> None:
        """Write the images of a step.

        Args:
            images: arrays or tensors by tag, float ``(3, height, width)`` from 0 to 1.
            step: agent steps so far.
        """

    @abstractmethod
    def close(self) -> None:
        """Write what is buffered and close the files."""


class NullWriter(MetricWriter):
    """Writes nothing."""

    def resume_after(self, step: int) -> None:
        """Do nothing."""

    def write(self, scalars: Mapping[str, float], step: int) -> None:
        """Do nothing."""

    def write_images(self, images: Mapping[str, Any], step: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class TensorBoardWriter(MetricWriter):
    """Writes TensorBoard event files.

    Args:
        folder: folder for the files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._purge_step = 0
        self._writer: Any = None

    def resume_after(self, step: int) -> None:
        """See `MetricWriter.resume_after`."""
        self._purge_step = step + 1

    def write(self, scalars: Mapping[str, float], step: int) -> None:
        """See `MetricWriter.write`."""
        writer = self._open()
        for tag, scalar in scalars.items():
            writer.add_scalar(tag, scalar, step)

    def write_images(self, images: Mapping[str, Any], step: int) -> None:
        """See `MetricWriter.write_images`."""
        writer = self._open()
        for tag, image in images.items():
            writer.add_image(tag, image, step)

    def close(self) -> None:
        """See `MetricWriter.close`."""
        if self._writer is not None:
            self._writer.close()

    def _open(self) -> Any:
        if self._writer is None:
            # Imported here because it takes longer than all other imports of this module together.
            from torch.utils.tensorboard import SummaryWriter

            hide_writer_errors()
            self._writer = SummaryWriter(self._folder, purge_step=self._purge_step, flush_secs=30)
        return self._writer
