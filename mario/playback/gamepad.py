"""A drawing of the console's pad, with the buttons lit that are held down."""

from __future__ import annotations

from functools import cache

from PIL import Image, ImageDraw

from mario.games.actions import BUTTONS
from mario.playback.fonts import font

ASPECT = 2.3
"""How many times wider than high a pad is."""

BODY, FACE, GROOVE, REST = "#cccccc", "#222222", "#888888", "#444444"
RED, LIT = "#bb2222", "#ffcc33"
SMOOTHING = 4
"""Shapes are drawn this many times larger, since Pillow draws them with jagged edges."""

# All places are in thousandths of the pad's width.
CROSS, ARM, HALF = (180, 235), 92, 32
ARMS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
SLOTS = {"select": 430, "start": 560}
ROUND = {"B": 735, "A": 870}
GROOVES = ((70, 120), (138, 188), (338, 388))


@cache
def draw_gamepad(buttons: int, width: int) -> Image.Image:
    """Draw the pad.

    Args:
        buttons: those held down, see `mario.games.actions.BUTTONS`.
        width: in pixels.

    Returns:
        An RGBA picture, transparent around the pad; the same one for the same arguments.

    >>> draw_gamepad(0, 230).size
    (230, 100)
    """
    size = width, round(width / ASPECT)
    large = Image.new("RGBA", (size[0] * SMOOTHING, size[1] * SMOOTHING))
    _Pencil(large, buttons).draw()
    return large.resize(size, Image.Resampling.BOX)


class _Pencil:
    """Draws in thousandths of the pad's width."""

    def __init__(self, picture: Image.Image, buttons: int) -> None:
        self._pen = ImageDraw.Draw(picture)
        self._unit = picture.width / 1000
        self._lit = {name for name, bit in BUTTONS.items() if buttons & bit}

    def draw(self) -> None:
        """Draw the whole pad."""
        bottom = 1000 / ASPECT
        self._box((0, 0, 1000, bottom), BODY, 28)
        self._box((35, 60, 965, bottom - 30), FACE, 14)
        for top, end in GROOVES:
            self._box((365, top - 10, 645, end - 10), GROOVE, 14)
        self._draw_cross()
        self._box((365, 205, 645, 305), BODY, 14)
        for name, x in SLOTS.items():
            self._box((x - 40, 238, x + 40, 272), self._colour(name, FACE), 17)
        for name, x in ROUND.items():
            self._box((x - 62, 173, x + 62, 297), BODY, 10)
            self._disc((x, 235), 52, self._colour(name, RED))
            self._letter((x, 340), name)

    def _draw_cross(self) -> None:
        x, y = CROSS
        rim = 8
        for across, down in ((ARM + rim, HALF + rim), (HALF + rim, ARM + rim)):
            self._box((x - across, y - down, x + across, y + down), BODY, 14)
        for across, down in ((ARM, HALF), (HALF, ARM)):
            self._box((x - across, y - down, x + across, y + down), REST, 8)
        for name, (right, down) in ARMS.items():
            if name in self._lit:
                middle, reach = (HALF + ARM) / 2, (ARM - HALF) / 2
                x_of, y_of = x + right * middle, y + down * middle
                wide, high = (reach, HALF) if right else (HALF, reach)
                self._box((x_of - wide, y_of - high, x_of + wide, y_of + high), LIT, 8)
        self._disc(CROSS, 20, FACE)

    def _colour(self, button: str, at_rest: str) -> str:
        return LIT if button in self._lit else at_rest

    def _box(self, corners: tuple[float, float, float, float], colour: str, radius: float) -> None:
        left, top, right, bottom = (place * self._unit for place in corners)
        self._pen.rounded_rectangle((left, top, right, bottom), radius * self._unit, colour)

    def _letter(self, centre: tuple[float, float], text: str) -> None:
        x, y = (place * self._unit for place in centre)
        face = font(round(52 * self._unit), bold=True)
        self._pen.text((x, y), text, self._colour(text, RED), face, anchor="mm")

    def _disc(self, centre: tuple[float, float], radius: float, colour: str) -> None:
        x, y = centre
        self._box((x - radius, y - radius, x + radius, y + radius), colour, radius)
