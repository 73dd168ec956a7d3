"""Workloads: stable-retro's FCEUmm, in a separate environment without imports of this project.

The preprocessing is as lean as Python allows: one screen and one RAM read per step, and a loaded
state at reset. stable-retro's own `RetroEnv` takes 1.5 times as long.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from child import Work

START = 1 << 3
RIGHT, JUMP = 1 << 7, 1 << 8
PLAYER_STATE, DYING = 0x0E, 0x0B
X_PAGE, X_IN_PAGE, Y_PAGE = 0x6D, 0x86, 0xB5


def frames(rom: str) -> Work:
    """Frames of the bare emulator, none read; the core always renders them."""
    console = _Console(rom)
    while True:
        for _ in range(20):
            console.advance(0)
        yield {"frames": 20}


def steps(rom: str) -> Work:
    """Steps of one environment: four frames, grayscale, resized, stacked, restarted after death."""
    console = _Console(rom)
    start = console.begin_level()
    stack = np.zeros((4, 84, 84), np.uint8)
    step = x = 0
    while True:
        step += 1
        buttons = RIGHT | JUMP if step // 8 % 3 else RIGHT
        for _ in range(4):
            console.advance(buttons)
        stack[:-1] = stack[1:]
        gray = cv2.cvtColor(console.screen(), cv2.COLOR_RGB2GRAY)
        stack[-1] = cv2.resize(gray, (84, 84), interpolation=cv2.INTER_AREA)
        previous_x, x = x, console.ram(X_PAGE) * 256 + console.ram(X_IN_PAGE)
        if console.ram(PLAYER_STATE) == DYING or console.ram(Y_PAGE) > 1 or x - previous_x > 20:
            console.load(start)
            x = 0
        yield {"steps": 1}


class _Console:
    """The emulator and its RAM, which must not outlive it."""

    def __init__(self, rom: str) -> None:
        # Imported here because only the separate environment has it.
        from stable_retro._retro import GameDataGlue, RetroEmulator

        self._emulator: Any = RetroEmulator(rom)
        self._data: Any = GameDataGlue()
        self._emulator.configure_data(self._data)
        self._bits = np.arange(9)

    def advance(self, buttons: int) -> None:
        """Run one frame."""
        self._emulator.set_button_mask((buttons >> self._bits & 1).astype(np.uint8), 0)
        self._emulator.step()

    def screen(self) -> Any:
        """Return the current screen, uint8 ``(224, 240, 3)``."""
        return self._emulator.get_screen()

    def ram(self, address: int) -> int:
        """Return a byte of the console's RAM."""
        return int(self._data.memory.extract(address, "|u1"))

    def begin_level(self) -> bytes:
        """Press Start until the level begins and return the emulator state."""
        for frame in range(400):
            self.advance(START if frame % 40 == 39 and frame < 120 else 0)
        state: bytes = self._emulator.get_state()
        return state

    def load(self, state: bytes) -> None:
        """Load an emulator state."""
        self._emulator.set_state(state)
        self.advance(0)  # renders the screen of the loaded state
