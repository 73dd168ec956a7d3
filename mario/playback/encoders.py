"""Video encoders: MP4, which every player supports, and GIF with the exact colors of a game."""

from __future__ import annotations

import math
import tempfile
from abc import ABC, abstractmethod
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, ClassVar

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from PIL import Image

Frame = NDArray[np.uint8]


class Encoder(ABC):
    """Encodes frames of one shape into a video file."""

    default_scale: ClassVar[int]
    """Factor by which frames are enlarged if the caller gives none."""

    @abstractmethod
    def __init__(self, path: Path, shape: tuple[int, ...], fps: Fraction, scale: int) -> None:
        """Open the file.

        Args:
            path: Video file to write.
            shape: Shape of the frames, ``(height, width, 3)``.
            fps: Frame rate of the frames that `write` receives, in hertz.
            scale: Integer factor by which each frame is enlarged.
        """

    @abstractmethod
    def write(self, frame: Frame) -> None:
        """Encode a frame, uint8 ``(height, width, 3)``, RGB."""

    @abstractmethod
    def close(self) -> None:
        """Flush the encoder and finish the file."""


class Mp4Encoder(Encoder):
    """Encodes H.264 video, which every browser and player supports."""

    default_scale = 3

    def __init__(self, path: Path, shape: tuple[int, ...], fps: Fraction, scale: int) -> None:
        self._scale = scale
        height, width = shape[0] * scale, shape[1] * scale
        # yuv420p halves the resolution of colors, so height and width must be even.
        self._padding = height % 2, width % 2
        size = height + height % 2, width + width % 2
        self._output = _VideoStream(
            str(path), "mp4", "libx264", "yuv420p", fps, size, {"crf": "18", "preset": "veryfast"}
        )
        # Players guess the YUV standard of untagged videos from the height, so tag it as BT.709.
        codec = self._output.codec
        codec.colorspace = codec.color_primaries = codec.color_trc = Colorspace.ITU709
        codec.color_range = ColorRange.MPEG

    def write(self, frame: Frame) -> None:
        """Enlarge and encode a frame."""
        padding = [*((0, missing) for missing in self._padding), (0, 0)]
        enlarged = np.pad(_enlarge(frame, self._scale), padding, mode="edge")
        self._output.encode(
            av.VideoFrame.from_ndarray(enlarged, format="rgb24").reformat(
                format="yuv420p",
                src_colorspace=Colorspace.ITU709,
                dst_colorspace=Colorspace.ITU709,
                src_color_range=ColorRange.JPEG,
                dst_color_range=ColorRange.MPEG,
            )
        )

    def close(self) -> None:
        """Flush the encoder and finish the file."""
        self._output.close()


class GifEncoder(Encoder):
    """Encodes a GIF in two passes: lossless video into a temporary file, then the GIF itself.

    A GIF has a global palette of up to 256 colors, which precedes its frames. The first pass
    collects the colors. Up to 255 colors are kept exactly; more colors are quantized. One index is
    reserved for transparency, because the encoder only writes the pixels that change from frame to
    frame. Memory use does not depend on the length of the video, whereas Pillow's GIF writer keeps
    all frames until the end.

    The delay of a GIF frame is a multiple of 1/100 s, and browsers slow down delays of 1/100 s.
    Each frame of the GIF therefore lasts 3/100 s and shows the game as it is at that time.
    """

    default_scale = 2
    _frame_seconds = Fraction(3, 100)
    _transparent_index = 255

    def __init__(self, path: Path, shape: tuple[int, ...], fps: Fraction, scale: int) -> None:
        self._path, self._shape, self._fps, self._scale = path, shape, fps, scale
        self._received = self._written = 0
        self._is_used = np.zeros(1 << 24, dtype=np.bool_)
        self._spool = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115 - closed by `close`
        self._lossless = _VideoStream(
            self._spool, "nut", "libx264rgb", "rgb24", 1 / self._frame_seconds, shape[:2],
            {"qp": "0", "preset": "ultrafast"},
        )  # fmt: skip

    def write(self, frame: Frame) -> None:
        """Encode a frame zero or more times, to match the frame rate of the GIF."""
        self._received += 1
        end = math.ceil(self._received / self._fps / self._frame_seconds)
        if end > self._written:
            self._is_used[_pack_colors(frame)] = True
        for _ in range(self._written, end):
            self._lossless.encode(av.VideoFrame.from_ndarray(frame, format="rgb24"))
        self._written = end

    def close(self) -> None:
        """Encode the GIF from the lossless video."""
        self._lossless.close()
        palette, palette_index = self._quantize()
        size = self._shape[0] * self._scale, self._shape[1] * self._scale
        output = _VideoStream(
            str(self._path), "gif", "gif", "pal8", 1 / self._frame_seconds, size, {}
        )
        self._spool.seek(0)
        with self._spool, av.open(self._spool, "r") as lossless:
            for frame in lossless.decode(video=0):
                colors = _pack_colors(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
                picture: Any = _enlarge(palette_index[colors], self._scale), palette
                output.encode(av.VideoFrame.from_ndarray(picture, format="pal8"))
        output.close()

    def _quantize(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the palette, ``(256, 4)`` ARGB, and the index of each packed color in it."""
        colors = np.flatnonzero(self._is_used)
        rgb = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=-1).astype(np.uint8)
        quantized = Image.fromarray(rgb[None]).quantize(
            self._transparent_index, dither=Image.Dither.NONE
        )
        used = np.array(quantized.getpalette(), np.uint8).reshape(-1, 3)
        palette = np.full((256, 4), 255, dtype=np.uint8)
        palette[: len(used), 1:] = used
        palette[self._transparent_index] = 0
        palette_index = np.zeros(1 << 24, dtype=np.uint8)
        palette_index[colors] = np.asarray(quantized)[0]
        return palette, palette_index


class _VideoStream:
    """A media file with a single video stream."""

    def __init__(
        self,
        file: str | IO[bytes],
        container: str,
        codec: str,
        pixel_format: str,
        fps: Fraction,
        size: tuple[int, ...],
        options: dict[str, str],
    ) -> None:
        # "faststart" puts the index of an MP4 first, so that browsers play it while it loads.
        muxing = {"movflags": "faststart"} if container == "mp4" else {}
        self._container = av.open(file, "w", format=container, options=muxing)
        stream: Any = self._container.add_stream(codec, rate=fps)
        stream.height, stream.width = size
        stream.pix_fmt, stream.options = pixel_format, options
        self._stream, self._time_base, self._count = stream, 1 / fps, 0

    @property
    def codec(self) -> Any:
        """Codec settings; they can be changed until the first frame."""
        return self._stream.codec_context

    def encode(self, frame: av.VideoFrame) -> None:
        """Encode the next frame."""
        frame.pts, frame.time_base = self._count, self._time_base
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Flush the codec and close the file."""
        self._container.mux(self._stream.encode())
        self._container.close()


def _enlarge(pixels: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    return pixels.repeat(scale, axis=0).repeat(scale, axis=1)


def _pack_colors(frame: Frame) -> NDArray[np.uint32]:
    """Return the color of each pixel as one number, 0xRRGGBB."""
    red, green, blue = np.moveaxis(frame.astype(np.uint32), -1, 0)
    return np.asarray(red << 16 | green << 8 | blue)
