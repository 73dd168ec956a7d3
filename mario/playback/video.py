"""Films a game into an ``.mp4`` or a ``.gif``, frame by frame, without keeping the frames."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from mario.emulators.emulator import FRAMES_PER_SECOND
from mario.errors import UsageError
from mario.playback.encoder import Encoder, Frame
from mario.playback.gif import GifEncoder
from mario.system.files import TEMPORARY


def scale_of(path: Path) -> int:
    """How many times wider and higher than the game a video is, unless told otherwise.

    Raises:
        UsageError: it is neither an MP4 nor a GIF.

    >>> scale_of(Path("clip.gif"))
    2
    """
    return _encoder_for(path).scale


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
        self._encoder: Encoder | None = None
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


class _Mp4Encoder(Encoder):
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


_ENCODERS: dict[str, type[Encoder]] = {".mp4": _Mp4Encoder, ".gif": GifEncoder}


def _encoder_for(path: Path) -> type[Encoder]:
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
