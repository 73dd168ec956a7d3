"""A game with its agent beside it: what it sees, what it makes of it, and what it does."""

from __future__ import annotations

import cv2
import numpy as np

from mario.playback.inspector_panel import InspectorPanel
from mario.playback.watch import Frame, WatchedStep


class Overlay:
    """Puts beside each frame of a game what the agent decided last.

    Args:
        scale: how many times wider and higher the game is made; at 3 an NES game and the panel
            are 1280 x 720.
    """

    def __init__(self, scale: int = 3) -> None:
        self._scale = scale
        self._panel = InspectorPanel(scale)
        self._beside = self._panel.pixels

    def follow(self, step: WatchedStep) -> None:
        """Take note of a decision: the next frames are shown beside it."""
        self._panel.draw(step)
        self._beside = self._panel.pixels

    def compose(self, frame: Frame) -> Frame:
        """Put the panel beside a frame.

        Args:
            frame: uint8 ``(height, width, 3)``, RGB.

        Returns:
            A picture of the same kind, ``scale`` times as high, or as high as the panel.

        >>> Overlay(scale=3).compose(np.zeros((240, 256, 3), np.uint8)).shape
        (720, 1280, 3)
        """
        size = frame.shape[1] * self._scale, frame.shape[0] * self._scale
        game = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_NEAREST), np.uint8)
        height = max(len(game), len(self._beside))
        return np.hstack([_centred(part, height) for part in (game, self._beside)])


def _centred(picture: Frame, height: int) -> Frame:
    missing = height - len(picture)
    return np.pad(picture, [(missing // 2, missing - missing // 2), (0, 0), (0, 0)])
