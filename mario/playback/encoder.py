"""What every kind of video has in common: a file that holds one stream of pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import av
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]


class Encoder(ABC):
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
