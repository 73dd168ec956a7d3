"""Fonts for drawing: those that matplotlib ships, so that pictures are the same on all systems."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import matplotlib
from PIL import ImageFont

_FONT_FOLDER = Path(matplotlib.get_data_path(), "fonts", "ttf")


@cache
def load_font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans.

    Args:
        size: Font size in pixels.
        bold: Whether to return the bold face.

    >>> load_font(12, bold=True).getname()
    ('DejaVu Sans', 'Bold')
    """
    return ImageFont.truetype(_FONT_FOLDER / f"DejaVuSans{'-Bold' if bold else ''}.ttf", size)
