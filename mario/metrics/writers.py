"""Writers of metrics: append-only text files and TensorBoard."""

from __future__ import annotations

import csv
import io
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO


class AppendOnlyFile:
    """A text file that starts with a header line and grows line by line.

    The file is opened when the first line is written, so that `restore` can still continue the
    file of an earlier session. Lines that cannot be written, for example because the disk is full,
    are kept and written later.

    Args:
        path: the file. Its content is replaced, unless `restore` is called first.
        header: the first line of the file.
    """

    def __init__(self, path: Path, header: str) -> None:
        self.path = path
        self._pending = f"{header}\n".encode()
        self._written = 0
        self._file: BinaryIO | None = None

    @property
    def size(self) -> int:
        """Size of the file in bytes, including lines that are still to be written."""
        return self._written + len(self._pending)

    def append(self, line: str) -> None:
        """Append a line.

        Raises:
            OSError: the line cannot be written now. It will be written with the next line.
        """
        self._pending += f"{line}\n".encode()
        self._write()

    def sync(self) -> None:
        """Flush all lines to disk.

        Raises:
            OSError: the lines cannot be written now.
        """
        os.fsync(self._write().fileno())

    def restore(self, size: int) -> str:
        """Truncate the file of an earlier session, and drop an incomplete last line.

        Args:
            size: earlier value of the property `size`, in bytes.

        Returns:
            The remaining content, which is shorter than ``size`` if the file lost lines.
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
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _write(self) -> BinaryIO:
        if self._file is None:
            self._file = open(self.path, "wb", buffering=0)  # noqa: SIM115 - open for the session
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

            self._writer = SummaryWriter(self._folder, purge_step=self._purge_step, flush_secs=30)
        return self._writer
