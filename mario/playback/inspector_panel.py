"""What goes on in an agent, drawn: what it sees, what it makes of each action, what it does."""

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
from mario.playback.fonts import font
from mario.playback.gamepad import ASPECT, draw_gamepad

if TYPE_CHECKING:
    from mario.playback.watch import WatchedStep

# In units of a third of the game's pixels, so that panel and game make 1280 x 720 at scale 3.
UNITS = 3
WIDTH, HEIGHT, MARGIN = 512, 720, 28
FIGURES_TOP, STATE_TOP, BARS_TOP, PAD_TOP = 24, 128, 292, 566
LARGEST_PICTURE, GAP = 150, 6
HIGHEST_ROW, LARGEST_TEXT = 34, 19
BARS_LEFT, BARS_RIGHT = 184, 408

BACKGROUND, TRACK, QUIET, BRIGHT = "#111122", "#222233", "#8888aa", "#eeeeff"
BAR, CHOSEN = "#4477bb", "#ffcc33"

MOST_ROWS = 12
RANGE_DECISIONS = 60
"""Bars reach from the least to the greatest preference of these latest decisions: four seconds."""
SHORTEST_BAR = 0.03
FEW_COLOURS = (np.arange(256) / 17).round().astype(np.uint8) * 17
"""Sixteen levels of each colour: no eye misses the others, and a GIF holds no more than 256."""


class InspectorPanel:
    """Draws one decision after the other.

    Args:
        scale: how many times wider and higher than the game itself is the game beside it.
    """

    def __init__(self, scale: int) -> None:
        self._unit = scale / UNITS
        self._picture = Image.new("RGB", (self._at(WIDTH), self._at(HEIGHT)))
        self._pen = ImageDraw.Draw(self._picture)
        self._wipe()
        self._ranges: deque[tuple[float, float]] = deque(maxlen=RANGE_DECISIONS)

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The decision drawn last, uint8 ``(240 * scale, 171 * scale, 3)`` or so, RGB."""
        few: NDArray[np.uint8] = FEW_COLOURS[np.asarray(self._picture)]
        return few

    def draw(self, step: WatchedStep) -> None:
        """Draw a decision in place of the one before."""
        self._wipe()
        self._draw_figures(step)
        self._draw_state(step.state)
        if step.action_values is not None:
            self._title(BARS_TOP, f"{step.action_values_name} of each action")
            self._draw_bars(step, step.action_values)
        self._draw_pad(step)

    def _wipe(self) -> None:
        self._pen.rectangle((0, 0, *self._picture.size), BACKGROUND)

    def _draw_figures(self, step: WatchedStep) -> None:
        info = step.info
        figures = {"reward": f"{step.reward:,.0f}", "decision": f"{step.decision:,}"}
        if "world" in info and "stage" in info:
            figures = {"level": f"{info['world']}-{info['stage']}"} | figures
        for place, (name, text) in enumerate(figures.items()):
            x = MARGIN + place * (WIDTH - MARGIN) // 3
            self._title(FIGURES_TOP, name, x)
            self._write((x, FIGURES_TOP + 24), text, 38, BRIGHT, "la", bold=True)

    def _draw_state(self, state: NDArray[np.uint8]) -> None:
        self._title(STATE_TOP, "what it sees")
        room = WIDTH - 2 * MARGIN + GAP
        side = min(room // len(state) - GAP, LARGEST_PICTURE)
        size = self._at(side), self._at(side)
        for place, frame in enumerate(state):
            enlarged = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
            corner = self._at(MARGIN + place * (side + GAP)), self._at(STATE_TOP + 26)
            self._picture.paste(Image.fromarray(enlarged), corner)

    def _draw_bars(self, step: WatchedStep, action_values: NDArray[np.float32]) -> None:
        known = action_values[np.isfinite(action_values)]
        self._ranges.append((float(known.min()), float(known.max())))
        rows = rows_of(action_values, step.action)
        top, room = BARS_TOP + 26, PAD_TOP - BARS_TOP - 44
        height = min(room / len(rows), HIGHEST_ROW)
        for place, action in enumerate(rows):
            middle, chosen = top + (place + 0.5) * height, action == step.action
            value = float(action_values[action])
            self._draw_bar(middle, height * 0.32, value, CHOSEN if chosen else BAR)
            size, bold = min(round(height * 0.62), LARGEST_TEXT), bool(chosen)
            name = step.names[action].replace("+", " + ")
            self._write((MARGIN, middle), name, size, BRIGHT if chosen else QUIET, "lm", bold=bold)
            text, right = f"{value:.2f}" if math.isfinite(value) else "none", WIDTH - MARGIN
            self._write((right, middle), text, size, CHOSEN if chosen else QUIET, "rm", bold=bold)

    def _draw_bar(self, middle: float, half: float, value: float, colour: str) -> None:
        self._box((BARS_LEFT, middle - half, BARS_RIGHT, middle + half), TRACK)
        if math.isfinite(value):
            low = min(least for least, _ in self._ranges)
            high = max(greatest for _, greatest in self._ranges)
            share = (value - low) / (high - low) if high > low else 1.0
            reach = BARS_LEFT + (BARS_RIGHT - BARS_LEFT) * max(share, SHORTEST_BAR)
            self._box((BARS_LEFT, middle - half, reach, middle + half), colour)

    def _draw_pad(self, step: WatchedStep) -> None:
        held = [buttons_of(name) for name in step.names]
        buttons = held[step.action]
        if buttons is None or None in held:  # NOOP is an action of consoles with other pads, too
            return
        width = round((HEIGHT - MARGIN - PAD_TOP) * ASPECT)
        pad = draw_gamepad(buttons, self._at(width))
        place = self._at((WIDTH - width) / 2), self._at(PAD_TOP)
        self._picture.paste(pad, place, pad)

    def _title(self, top: float, text: str, left: float = MARGIN) -> None:
        self._write((left, top), text.upper(), 15, QUIET, "la", bold=True)

    def _write(
        self,
        place: tuple[float, float],
        text: str,
        size: int,
        colour: str,
        anchor: str,
        *,
        bold: bool,
    ) -> None:
        face = font(self._at(size), bold)
        self._pen.text((self._at(place[0]), self._at(place[1])), text, colour, face, anchor)

    def _box(self, corners: tuple[float, float, float, float], colour: str) -> None:
        left, top, right, bottom = (self._at(each) for each in corners)
        self._pen.rectangle((left, top, right - 1, bottom - 1), colour)

    def _at(self, place: float) -> int:
        return round(place * self._unit)


def rows_of(action_values: NDArray[np.float32], action: int) -> Sequence[int]:
    """The actions that there is room for: those preferred, and the one that is done.

    Args:
        action_values: float32 ``(num_actions,)``; what is not finite is left out.
        action: what is done.

    >>> rows_of(np.array([0.5, np.nan, 0.25], np.float32), action=0)
    [0, 2]
    """
    order = [int(each) for each in np.argsort(-action_values, kind="stable")]
    known = [each for each in order if np.isfinite(action_values[each]) and each != action]
    return sorted([action, *known[: MOST_ROWS - 1]])
