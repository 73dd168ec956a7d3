"""Draw the controller of the NES with the pressed buttons highlighted."""

from __future__ import annotations

from functools import cache

from PIL import Image, ImageDraw

from mario.games.actions import BUTTONS
from mario.playback.fonts import load_font

ASPECT_RATIO = 2.3
"""Width of the controller divided by its height."""

BODY, FACE, GROOVE, D_PAD = "#cccccc", "#222222", "#888888", "#444444"
RED, PRESSED = "#bb2222", "#ffcc33"
SUPERSAMPLING = 4
"""Shapes are drawn enlarged by this factor and then reduced, which smooths their edges."""

# Coordinates are in thousandths of the controller's width.
D_PAD_CENTER, D_PAD_LENGTH, D_PAD_WIDTH = (180, 235), 92, 32
"""Length and width are measured from the center."""
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
SLOT_BUTTONS = {"select": 430, "start": 560}
ROUND_BUTTONS = {"B": 735, "A": 870}
GROOVES = ((70, 120), (138, 188), (338, 388))


@cache
def draw_gamepad(buttons: int, width: int) -> Image.Image:
    """Draw the controller.

    Args:
        buttons: Bit mask of the pressed buttons, see `mario.games.actions.BUTTONS`.
        width: Width of the picture in pixels.

    Returns:
        An RGBA picture, transparent around the controller. Calls with the same arguments return
        the same object.

    >>> draw_gamepad(0, 230).size
    (230, 100)
    """
    size = width, round(width / ASPECT_RATIO)
    large = Image.new("RGBA", (size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING))
    _GamepadDrawing(large, buttons).draw()
    return large.resize(size, Image.Resampling.BOX)


class _GamepadDrawing:
    """Draws in thousandths of the controller's width."""

    def __init__(self, picture: Image.Image, buttons: int) -> None:
        self._canvas = ImageDraw.Draw(picture)
        self._unit = picture.width / 1000
        self._pressed = {name for name, bit in BUTTONS.items() if buttons & bit}

    def draw(self) -> None:
        """Draw the whole controller."""
        bottom = 1000 / ASPECT_RATIO
        self._draw_box((0, 0, 1000, bottom), BODY, 28)
        self._draw_box((35, 60, 965, bottom - 30), FACE, 14)
        for top, end in GROOVES:
            self._draw_box((365, top - 10, 645, end - 10), GROOVE, 14)
        self._draw_d_pad()
        self._draw_box((365, 205, 645, 305), BODY, 14)
        for name, x in SLOT_BUTTONS.items():
            self._draw_box((x - 40, 238, x + 40, 272), self._color(name, FACE), 17)
        for name, x in ROUND_BUTTONS.items():
            self._draw_box((x - 62, 173, x + 62, 297), BODY, 10)
            self._draw_disc((x, 235), 52, self._color(name, RED))
            self._draw_label((x, 340), name)

    def _draw_d_pad(self) -> None:
        x, y = D_PAD_CENTER
        length, width, rim = D_PAD_LENGTH, D_PAD_WIDTH, 8
        for dx, dy in ((length + rim, width + rim), (width + rim, length + rim)):
            self._draw_box((x - dx, y - dy, x + dx, y + dy), BODY, 14)
        for dx, dy in ((length, width), (width, length)):
            self._draw_box((x - dx, y - dy, x + dx, y + dy), D_PAD, 8)
        for name, (right, down) in DIRECTIONS.items():
            if name in self._pressed:
                distance, reach = (width + length) / 2, (length - width) / 2
                arm_x, arm_y = x + right * distance, y + down * distance
                half_x, half_y = (reach, width) if right else (width, reach)
                corners = (arm_x - half_x, arm_y - half_y, arm_x + half_x, arm_y + half_y)
                self._draw_box(corners, PRESSED, 8)
        self._draw_disc(D_PAD_CENTER, 20, FACE)

    def _color(self, button: str, released: str) -> str:
        return PRESSED if button in self._pressed else released

    def _draw_box(
        self, corners: tuple[float, float, float, float], color: str, radius: float
    ) -> None:
        left, top, right, bottom = (coordinate * self._unit for coordinate in corners)
        self._canvas.rounded_rectangle((left, top, right, bottom), radius * self._unit, color)

    def _draw_label(self, center: tuple[float, float], text: str) -> None:
        x, y = (coordinate * self._unit for coordinate in center)
        font = load_font(round(52 * self._unit), bold=True)
        self._canvas.text((x, y), text, self._color(text, RED), font, anchor="mm")

    def _draw_disc(self, center: tuple[float, float], radius: float, color: str) -> None:
        x, y = center
        self._draw_box((x - radius, y - radius, x + radius, y + radius), color, radius)
