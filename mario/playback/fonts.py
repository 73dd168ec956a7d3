"""Fonts for pictures: those that come with matplotlib, so that they are the same everywhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import matplotlib
from PIL import ImageFont

FOLDER = Path(matplotlib.get_data_path(), "fonts", "ttf")


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans of a size.

    Args:
        size: in pixels.
        bold: whether its lines are thick.

    >>> font(12, bold=True).getname()
    ('DejaVu Sans', 'Bold')
    """
    return ImageFont.truetype(FOLDER / f"DejaVuSans{'-Bold' if bold else ''}.ttf", size)
