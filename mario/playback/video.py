"""Record a game to an ``.mp4`` or ``.gif`` file, frame by frame."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from mario.emulators.emulator import FRAMES_PER_SECOND
from mario.errors import UsageError
from mario.playback.encoders import Encoder, Frame, GifEncoder, Mp4Encoder
from mario.system.files import TEMPORARY

_ENCODERS: dict[str, type[Encoder]] = {".mp4": Mp4Encoder, ".gif": GifEncoder}


def default_scale(path: Path) -> int:
    """Return the factor by which a video enlarges the game by default.

    Raises:
        UsageError: The file is neither an MP4 nor a GIF.

    >>> default_scale(Path("clip.gif"))
    2
    """
    return _encoder_class(path).default_scale


class VideoWriter:
    """Writes frames to a video. The file has a temporary name until it is closed.

    As a context manager it closes the video at the end, and discards it after an exception.

    Args:
        path: Video file; its suffix, ``.mp4`` or ``.gif``, selects the format.
        fps: Frames per second. A GIF drops frames to show at most 100 / 3 per second.
        scale: Integer factor by which frames are enlarged; None for 3 in an MP4 and 2 in a GIF.

    Raises:
        UsageError: The suffix is not supported, or the file cannot be written.
    """

    def __init__(
        self, path: Path, *, fps: float = FRAMES_PER_SECOND, scale: int | None = None
    ) -> None:
        self._path = path
        self._temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
        self._encoder_class = _encoder_class(path)
        self._fps = Fraction(fps).limit_denominator(100_000)
        self._scale = scale or self._encoder_class.default_scale
        self._encoder: Encoder | None = None
        self._shape: tuple[int, ...] = ()
        self._closed = False
        with self._reporting_errors():
            self._temporary.touch()

    def write(self, frame: Frame) -> None:
        """Append a frame.

        Args:
            frame: RGB, uint8 ``(height, width, 3)``. All frames must have the same shape.

        Raises:
            ValueError: The frame has another type or shape.
            UsageError: The file cannot be written.
        """
        shape = self._shape or frame.shape
        if frame.dtype != np.uint8 or frame.shape != shape or shape[2:] != (3,):
            raise ValueError(
                f"a frame must be uint8 {self._shape or '(height, width, 3)'}, "
                f"got {frame.dtype} {frame.shape}"
            )
        self._shape = shape
        with self._reporting_errors():
            if self._encoder is None:
                self._encoder = self._encoder_class(self._temporary, shape, self._fps, self._scale)
            self._encoder.write(frame)

    def close(self) -> None:
        """Finish the video and rename it to its final name; without frames, write no file.

        Raises:
            UsageError: The file cannot be written.
        """
        if self._closed or self._encoder is None:
            self.discard()
            return
        with self._reporting_errors():
            self._encoder.close()
            os.replace(self._temporary, self._path)
        self._closed = True

    def discard(self) -> None:
        """Delete the unfinished video."""
        self._closed = True
        self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    @contextmanager
    def _reporting_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.discard()
            raise UsageError(
                f"cannot record {self._path}: {error.strerror}; choose another location"
            ) from None


def _encoder_class(path: Path) -> type[Encoder]:
    """Return the encoder for a file name.

    Raises:
        UsageError: There is no encoder for its suffix, or the path cannot be a file.
    """
    if path.suffix.lower() not in _ENCODERS:
        raise UsageError(
            f"cannot record {path}: the file name must end in .mp4 or .gif, got {path.suffix!r}"
        )
    if not path.parent.is_dir():
        raise UsageError(f"cannot record {path}: there is no folder {path.parent}; create it first")
    if path.is_dir():
        raise UsageError(f"cannot record {path}: it is a folder; choose another name")
    return _ENCODERS[path.suffix.lower()]
