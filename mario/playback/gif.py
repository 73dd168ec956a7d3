"""GIFs in a game's very colours, at its real speed, of which each picture holds what is new."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from mario.playback.encoder import Encoder, Frame

PALETTE_AT = 13
"""Where in the file the palette begins."""
TRANSPARENT = 255
"""The one index that stands for no colour: there the picture before shows through."""


class GifEncoder(Encoder):
    """A GIF in the game's very colours, at its real speed.

    A GIF counts time in hundredths of a second, and browsers slow down what changes faster than
    every second of them; each of its frames lasts three, and shows the game's frame of that step.

    Of each picture only what is new is written, as long as all have the same palette. Which colours
    will come is not known before the end: until then the file holds another palette in its place.
    """

    scale = 2
    format = "gif"
    frame_seconds = Fraction(3, 100)

    def __init__(self, path: Path, shape: tuple[int, ...], fps: Fraction, scale: int) -> None:
        super().__init__(path, shape, fps, scale)
        self._path = path
        self._palette = Palette()
        self._place_holder = np.full((256, 4), 255, dtype=np.uint8)
        self._place_holder[TRANSPARENT] = 0
        self._seen = 0

    def write(self, frame: Frame) -> None:
        """Encode a frame as often as its step in the game lasts: mostly once or not at all."""
        self._seen += 1
        for _ in range(self._count, math.ceil(self._seen / self._fps / self.frame_seconds)):
            picture: Any = (self._enlarge(self._palette.indices(frame)), self._place_holder)
            self._encode(av.VideoFrame.from_ndarray(picture, format="pal8"))

    def close(self) -> None:
        """Write what has been held back, and the palette."""
        super().close()
        with open(self._path, "r+b") as file:
            file.seek(PALETTE_AT)
            file.write(self._palette.rgb.tobytes())

    def _open_stream(self) -> Any:
        stream = self._container.add_stream("gif", rate=1 / self.frame_seconds)
        stream.pix_fmt = "pal8"
        return stream


class Palette:
    """Up to 255 colours, taken up as they come; a console has 64.

    Attributes:
        rgb: uint8 ``(256, 3)``; the last one is never used.
    """

    _UNKNOWN = 256

    def __init__(self) -> None:
        self.rgb = np.zeros((256, 3), dtype=np.uint8)
        self._size = 0
        self._index = np.full(1 << 24, self._UNKNOWN, dtype=np.uint16)

    def indices(self, frame: Frame) -> NDArray[np.uint8]:
        """Which colour each pixel has; past 255 colours the one most like it.

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
        end = min(self._size + len(colours), TRANSPARENT)
        new = end - self._size
        self.rgb[self._size : end] = rgb[:new]
        self._index[colours[:new]] = np.arange(self._size, end)
        self._size = end
        if len(colours) > new:
            known, others = self.rgb[:TRANSPARENT].astype(np.float32), rgb[new:].astype(np.float32)
            distances = np.square(known).sum(axis=1) - 2 * others @ known.T
            self._index[colours[new:]] = distances.argmin(axis=1)
