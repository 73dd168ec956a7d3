"""A panel that shows an agent's observation, its score of each action, and the chosen action."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from mario.games.actions import buttons_of
from mario.playback.fonts import load_font
from mario.playback.gamepad import ASPECT_RATIO, draw_gamepad

if TYPE_CHECKING:
    from mario.playback.watch import PlaybackStep

# Units are thirds of a game pixel: at scale 3, game and panel together are 1280 x 720 pixels.
UNITS_PER_PIXEL = 3
WIDTH, HEIGHT, MARGIN = 512, 720, 28
HEADER_TOP, STATE_TOP, BARS_TOP, GAMEPAD_TOP = 24, 128, 292, 566
MAX_FRAME_SIDE, FRAME_GAP = 150, 6
MAX_ROW_HEIGHT, MAX_TEXT_SIZE = 34, 19
BARS_LEFT, BARS_RIGHT = 184, 408

BACKGROUND, BAR_BACKGROUND, DIM, BRIGHT = "#111122", "#222233", "#8888aa", "#eeeeff"
BAR, CHOSEN = "#4477bb", "#ffcc33"

MAX_ROWS = 12
RANGE_STEPS = 60
"""Number of latest steps whose lowest and highest scores are the limits of the bars. They take four
seconds at four frames per step."""
MIN_BAR = 0.03
FEW_COLORS = (np.arange(256) / 17).round().astype(np.uint8) * 17
"""Rounds a channel to sixteen levels, because a GIF has only 256 colors. The loss is invisible."""


class InspectorPanel:
    """Draws the panel for one step at a time.

    Args:
        scale: Integer factor by which the game beside the panel is enlarged.
    """

    def __init__(self, scale: int) -> None:
        self._unit = scale / UNITS_PER_PIXEL
        self._picture = Image.new("RGB", (self._to_pixels(WIDTH), self._to_pixels(HEIGHT)))
        self._canvas = ImageDraw.Draw(self._picture)
        self._clear()
        self._ranges: deque[tuple[float, float]] = deque(maxlen=RANGE_STEPS)

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The current picture, RGB uint8, about ``(240 * scale, 171 * scale, 3)``."""
        pixels: NDArray[np.uint8] = FEW_COLORS[np.asarray(self._picture)]
        return pixels

    def draw(self, step: PlaybackStep) -> None:
        """Replace the picture with that of a new step."""
        self._clear()
        self._draw_header(step)
        self._draw_state(step.state)
        if step.action_values is not None:
            self._draw_title(BARS_TOP, f"{step.action_values_name} of each action")
            self._draw_action_values(step, step.action_values)
        self._draw_gamepad(step)

    def _clear(self) -> None:
        self._canvas.rectangle((0, 0, *self._picture.size), BACKGROUND)

    def _draw_header(self, step: PlaybackStep) -> None:
        info = step.info
        columns = {"reward": f"{step.episode_return:,.0f}", "step": f"{step.step:,}"}
        if "world" in info and "stage" in info:
            columns = {"level": f"{info['world']}-{info['stage']}"} | columns
        for column, (name, text) in enumerate(columns.items()):
            x = MARGIN + column * (WIDTH - MARGIN) // 3
            self._draw_title(HEADER_TOP, name, x)
            self._draw_text((x, HEADER_TOP + 24), text, 38, BRIGHT, "la", bold=True)

    def _draw_state(self, state: NDArray[np.uint8]) -> None:
        self._draw_title(STATE_TOP, "observation")
        width = WIDTH - 2 * MARGIN + FRAME_GAP
        side = min(width // len(state) - FRAME_GAP, MAX_FRAME_SIDE)
        size = self._to_pixels(side), self._to_pixels(side)
        for index, frame in enumerate(state):
            resized = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
            left = MARGIN + index * (side + FRAME_GAP)
            corner = self._to_pixels(left), self._to_pixels(STATE_TOP + 26)
            self._picture.paste(Image.fromarray(resized), corner)

    def _draw_action_values(self, step: PlaybackStep, action_values: NDArray[np.float32]) -> None:
        finite = action_values[np.isfinite(action_values)]
        self._ranges.append((float(finite.min()), float(finite.max())))
        actions = displayed_actions(action_values, step.action)
        top, height = BARS_TOP + 26, GAMEPAD_TOP - BARS_TOP - 44
        row_height = min(height / len(actions), MAX_ROW_HEIGHT)
        for row, action in enumerate(actions):
            middle, chosen = top + (row + 0.5) * row_height, action == step.action
            value = float(action_values[action])
            self._draw_bar(middle, row_height * 0.32, value, CHOSEN if chosen else BAR)
            size, bold = min(round(row_height * 0.62), MAX_TEXT_SIZE), bool(chosen)
            name = step.action_names[action].replace("+", " + ")
            name_color, value_color = (BRIGHT, CHOSEN) if chosen else (DIM, DIM)
            self._draw_text((MARGIN, middle), name, size, name_color, "lm", bold=bold)
            text, right = f"{value:.2f}" if math.isfinite(value) else "none", WIDTH - MARGIN
            self._draw_text((right, middle), text, size, value_color, "rm", bold=bold)

    def _draw_bar(self, middle: float, radius: float, value: float, color: str) -> None:
        top, bottom = middle - radius, middle + radius
        self._draw_box((BARS_LEFT, top, BARS_RIGHT, bottom), BAR_BACKGROUND)
        if math.isfinite(value):
            low = min(lowest for lowest, _ in self._ranges)
            high = max(highest for _, highest in self._ranges)
            fraction = (value - low) / (high - low) if high > low else 1.0
            right = BARS_LEFT + (BARS_RIGHT - BARS_LEFT) * max(fraction, MIN_BAR)
            self._draw_box((BARS_LEFT, top, right, bottom), color)

    def _draw_gamepad(self, step: PlaybackStep) -> None:
        masks = [buttons_of(name) for name in step.action_names]
        buttons = masks[step.action]
        # NOOP is also an action of consoles with other controllers, so check all actions.
        if buttons is None or None in masks:
            return
        width = round((HEIGHT - MARGIN - GAMEPAD_TOP) * ASPECT_RATIO)
        gamepad = draw_gamepad(buttons, self._to_pixels(width))
        corner = self._to_pixels((WIDTH - width) / 2), self._to_pixels(GAMEPAD_TOP)
        self._picture.paste(gamepad, corner, gamepad)

    def _draw_title(self, top: float, text: str, left: float = MARGIN) -> None:
        self._draw_text((left, top), text.upper(), 15, DIM, "la", bold=True)

    def _draw_text(
        self,
        position: tuple[float, float],
        text: str,
        size: int,
        color: str,
        anchor: str,
        *,
        bold: bool,
    ) -> None:
        corner = self._to_pixels(position[0]), self._to_pixels(position[1])
        self._canvas.text(corner, text, color, load_font(self._to_pixels(size), bold), anchor)

    def _draw_box(self, corners: tuple[float, float, float, float], color: str) -> None:
        left, top, right, bottom = map(self._to_pixels, corners)
        self._canvas.rectangle((left, top, right - 1, bottom - 1), color)

    def _to_pixels(self, units: float) -> int:
        return round(units * self._unit)


def displayed_actions(action_values: NDArray[np.float32], action: int) -> Sequence[int]:
    """Return the chosen action and those with the highest scores, in order of their index.

    Args:
        action_values: Scores, float32 ``(num_actions,)``. Actions without a finite score are left
            out, except the chosen one.
        action: The chosen action.

    Returns:
        Indices of at most `MAX_ROWS` actions.

    >>> displayed_actions(np.array([0.5, np.nan, 0.25], np.float32), action=0)
    [0, 2]
    """
    order = [int(index) for index in np.argsort(-action_values, kind="stable")]
    others = [index for index in order if np.isfinite(action_values[index]) and index != action]
    return sorted([action, *others[: MAX_ROWS - 1]])
