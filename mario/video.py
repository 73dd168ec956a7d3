"""Films a game into an ``.mp4`` or a ``.gif``, frame by frame, without keeping the frames."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from mario.emulators.emulator import FRAMES_PER_SECOND
from mario.errors import UsageError
from mario.files import TEMPORARY

Frame = NDArray[np.uint8]


class VideoWriter:
    """Writes frames into a video, under another name until it is closed.

    As a context manager it closes the video at the end, and discards it when an error ends it.

    Args:
        path: the video; its ending, ``.mp4`` or ``.gif``, says which kind.
        fps: frames a second. A GIF shows a third of a hundred at most, and leaves the others out.
        scale: how many times wider and higher than the game; 3 for an MP4 and 2 for a GIF if None.

    Raises:
        UsageError: the ending is another, or the file cannot be written.
    """

    def __init__(
        self, path: Path, *, fps: float = FRAMES_PER_SECOND, scale: int | None = None
    ) -> None:
        self._path = path
        self._temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{path.name}")
        self._make_encoder = _encoder_for(path)
        self._fps = Fraction(fps).limit_denominator(100_000)
        self._scale = scale or self._make_encoder.scale
        self._encoder: _Encoder | None = None
        self._shape: tuple[int, ...] = ()
        self._closed = False
        with self._told():
            self._temporary.touch()

    def write(self, frame: Frame) -> None:
        """Add a frame.

        Args:
            frame: uint8 ``(height, width, 3)``, RGB; all of one shape.

        Raises:
            ValueError: it is not.
            UsageError: it cannot be written.
        """
        shape = self._shape or frame.shape
        if frame.dtype != np.uint8 or frame.shape != shape or shape[2:] != (3,):
            raise ValueError(
                f"a frame must be uint8 {self._shape or '(height, width, 3)'}, "
                f"got {frame.dtype} {frame.shape}"
            )
        self._shape = shape
        with self._told():
            if self._encoder is None:
                self._encoder = self._make_encoder(self._temporary, shape, self._fps, self._scale)
            self._encoder.write(frame)

    def close(self) -> None:
        """Finish the video and give it its name; without a frame there is none.

        Raises:
            UsageError: it cannot be written.
        """
        if self._closed or self._encoder is None:
            self.discard()
            return
        with self._told():
            self._encoder.close()
            os.replace(self._temporary, self._path)
        self._closed = True

    def discard(self) -> None:
        """Leave nothing of the video."""
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
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.discard()
            raise UsageError(
                f"cannot record {self._path}: {error.strerror}; choose another place for it"
            ) from None


class _Encoder(ABC):
    """Encodes frames into a file that holds one stream of video."""

    scale: ClassVar[int]
    format: ClassVar[str]
    options: ClassVar[dict[str, str]] = {}

    def __init__(self, path: Path, shape: tuple[int, ...], fps: Fraction, scale: int) -> None:
        self._container = av.open(str(path), "w", format=self.format, options=self.options)
        self._fps = fps
        self._scale = scale
        height, width = self._size(shape[0] * scale, shape[1] * scale)
        self._stream = self._open_stream()
        self._stream.height, self._stream.width = height, width
        self._count = 0

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Encode a frame."""

    @abstractmethod
    def _open_stream(self) -> Any:
        """The stream, with all settings but its size."""

    def close(self) -> None:
        """Write what has been held back."""
        self._container.mux(self._stream.encode())
        self._container.close()

    def _size(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def _enlarge(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.repeat(np.repeat(picture, self._scale, axis=0), self._scale, axis=1)

    def _encode(self, picture: Any) -> None:
        picture.pts, picture.time_base = self._count, 1 / self._stream.codec_context.framerate
        self._count += 1
        self._container.mux(self._stream.encode(picture))


class _Mp4Encoder(_Encoder):
    """H.264 that every browser and player shows."""

    scale = 3
    format = "mp4"
    options: ClassVar = {"movflags": "faststart"}

    def write(self, frame: Frame) -> None:
        """Encode a frame, its sides made even as the halved colours of YUV need them."""
        picture = self._enlarge(frame)
        odd = [(0, side % 2) for side in picture.shape[:2]]
        picture = np.pad(picture, [*odd, (0, 0)], mode="edge")
        self._encode(
            av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                format="yuv420p",
                src_colorspace=Colorspace.ITU709,
                dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
            )
        )

    def _open_stream(self) -> Any:
        stream = self._container.add_stream("libx264", rate=self._fps)
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "18", "preset": "veryfast"}
        # Players guess from the height which YUV an untagged video means; so it says BT.709.
        codec = stream.codec_context
        codec.colorspace = codec.color_primaries = codec.color_trc = Colorspace.ITU709
        codec.color_range = ColorRange.MPEG
        return stream

    def _size(self, height: int, width: int) -> tuple[int, int]:
        return height + height % 2, width + width % 2


class _GifEncoder(_Encoder):
    """A GIF in the game's very colours, at its real speed.

    A GIF counts time in hundredths of a second, and browsers slow down what changes faster than
    every second of them; each of its frames lasts three, and shows the game's frame of that moment.
    """

    scale = 2
    format = "gif"
    frame_seconds = Fraction(3, 100)

    def __init__(self, path: Path, shape: tuple[int, ...], fps: Fraction, scale: int) -> None:
        super().__init__(path, shape, fps, scale)
        self._palette = _Palette()
        self._seen = 0

    def write(self, frame: Frame) -> None:
        """Encode a frame as often as its moment in the game lasts: mostly once or not at all."""
        self._seen += 1
        for _ in range(self._count, math.ceil(self._seen / self._fps / self.frame_seconds)):
            picture: Any = (self._enlarge(self._palette.indices(frame)), self._palette.argb)
            self._encode(av.VideoFrame.from_ndarray(picture, format="pal8"))

    def _open_stream(self) -> Any:
        stream = self._container.add_stream("gif", rate=1 / self.frame_seconds)
        stream.pix_fmt = "pal8"
        return stream


class _Palette:
    """Up to 256 colours, taken up as they come; a console has 64.

    Attributes:
        argb: uint8 ``(256, 4)``.
    """

    _UNKNOWN = 256

    def __init__(self) -> None:
        self.argb = np.full((256, 4), (255, 0, 0, 0), dtype=np.uint8)
        self._size = 0
        self._index = np.full(1 << 24, self._UNKNOWN, dtype=np.uint16)

    def indices(self, frame: Frame) -> NDArray[np.uint8]:
        """Which colour each pixel has; past 256 colours the one most like it.

        Args:
            frame: uint8 ``(height, width, 3)``.

        Returns:
            uint8 ``(height, width)``.
        """
        red, green, blue = np.moveaxis(frame.astype(np.uint32), -1, 0)
        colours = red << 16 | green << 8 | blue
        unknown = self._index[colours] == self._UNKNOWN
        if unknown.any():
            self._take_up(np.unique(colours[unknown]))
        return np.asarray(self._index[colours], dtype=np.uint8)

    def _take_up(self, colours: NDArray[np.uint32]) -> None:
        rgb = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=-1)
        end = min(self._size + len(colours), 256)
        new = end - self._size
        self.argb[self._size : end, 1:] = rgb[:new]
        self._index[colours[:new]] = np.arange(self._size, end)
        self._size = end
        if len(colours) > new:
            known, others = self.argb[:, 1:].astype(np.float32), rgb[new:].astype(np.float32)
            distances = np.square(known).sum(axis=1) - 2 * others @ known.T
            self._index[colours[new:]] = distances.argmin(axis=1)


_ENCODERS: dict[str, type[_Encoder]] = {".mp4": _Mp4Encoder, ".gif": _GifEncoder}


def _encoder_for(path: Path) -> type[_Encoder]:
    """The kind of encoder that a name asks for.

    Raises:
        UsageError: there is none, or no file can have that name.
    """
    if path.suffix.lower() not in _ENCODERS:
        raise UsageError(
            f"cannot record {path}: a video's name must end in .mp4 or .gif, got {path.suffix!r}"
        )
    if not path.parent.is_dir():
        raise UsageError(f"cannot record {path}: there is no folder {path.parent}; make it first")
    if path.is_dir():
        raise UsageError(f"cannot record {path}: it is a folder; choose another name")
    return _ENCODERS[path.suffix.lower()]
