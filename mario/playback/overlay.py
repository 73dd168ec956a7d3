"""Show a game with the inspector panel of its agent beside it."""

from __future__ import annotations

import cv2
import numpy as np

from mario.playback.inspector_panel import InspectorPanel
from mario.playback.watch import Frame, PlaybackStep


class Overlay:
    """Places the panel of the latest agent step beside each frame of the game.

    Args:
        scale: Integer factor by which the game is enlarged. With 3, an NES game and its panel
            measure 1280 x 720 pixels.
    """

    def __init__(self, scale: int = 3) -> None:
        self._scale = scale
        self._panel = InspectorPanel(scale)
        self._panel_pixels = self._panel.pixels

    def update(self, step: PlaybackStep) -> None:
        """Draw the panel for a new step; the following frames are shown beside it."""
        self._panel.draw(step)
        self._panel_pixels = self._panel.pixels

    def compose(self, frame: Frame) -> Frame:
        """Return a frame with the panel to its right.

        Args:
            frame: RGB, uint8 ``(height, width, 3)``.

        Returns:
            RGB picture, ``scale`` times as high as the frame, or as high as the panel if that is
            higher.

        >>> Overlay(scale=3).compose(np.zeros((240, 256, 3), np.uint8)).shape
        (720, 1280, 3)
        """
        size = frame.shape[1] * self._scale, frame.shape[0] * self._scale
        game = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_NEAREST), np.uint8)
        height = max(len(game), len(self._panel_pixels))
        return np.hstack([_center(picture, height) for picture in (game, self._panel_pixels)])


def _center(picture: Frame, height: int) -> Frame:
    """Pad a picture at the top and bottom to the given height."""
    missing = height - len(picture)
    return np.pad(picture, [(missing // 2, missing - missing // 2), (0, 0), (0, 0)])
