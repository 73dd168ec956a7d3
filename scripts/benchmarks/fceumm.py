"""Work: stable-retro's FCEUmm. Runs in an environment of its own, so nothing of ours is imported.

What an agent sees is made as leanly as Python allows: one picture and one look at the memory for
each decision, a loaded state for a reset. Its own `RetroEnv` takes half as long again.
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
    """Frames of the bare console, none looked at; the core draws them all in any case."""
    console = _Console(rom)
    while True:
        for _ in range(20):
            console.advance(0)
        yield {"frames": 20}


def decisions(rom: str) -> Work:
    """Decisions of one game: four frames, gray, resized and stacked, and begun anew after death."""
    console = _Console(rom)
    start = console.begin_level()
    stack = np.zeros((4, 84, 84), np.uint8)
    decision = x = 0
    while True:
        decision += 1
        buttons = RIGHT | JUMP if decision // 8 % 3 else RIGHT
        for _ in range(4):
            console.advance(buttons)
        stack[:-1] = stack[1:]
        gray = cv2.cvtColor(console.screen(), cv2.COLOR_RGB2GRAY)
        stack[-1] = cv2.resize(gray, (84, 84), interpolation=cv2.INTER_AREA)
        before, x = x, console.ram(X_PAGE) * 256 + console.ram(X_IN_PAGE)
        if console.ram(PLAYER_STATE) == DYING or console.ram(Y_PAGE) > 1 or x - before > 20:
            console.load(start)
            x = 0
        yield {"decisions": 1}


class _Console:
    """The emulator and its memory, which must not outlive it."""

    def __init__(self, rom: str) -> None:
        # Imported here, since only the environment of this work has it.
        from stable_retro._retro import GameDataGlue, RetroEmulator

        self._emulator: Any = RetroEmulator(rom)
        self._data: Any = GameDataGlue()
        self._emulator.configure_data(self._data)
        self._bits = np.arange(9)

    def advance(self, buttons: int) -> None:
        """Play a frame."""
        self._emulator.set_button_mask((buttons >> self._bits & 1).astype(np.uint8), 0)
        self._emulator.step()

    def screen(self) -> Any:
        """The latest picture, uint8 ``(224, 240, 3)``."""
        return self._emulator.get_screen()

    def ram(self, address: int) -> int:
        """A byte of the console's memory."""
        return int(self._data.memory.extract(address, "|u1"))

    def begin_level(self) -> bytes:
        """Press Start until the level is on; its state then."""
        for frame in range(400):
            self.advance(START if frame % 40 == 39 and frame < 120 else 0)
        state: bytes = self._emulator.get_state()
        return state

    def load(self, state: bytes) -> None:
        """Go back to a state."""
        self._emulator.set_state(state)
        self.advance(0)  # until then the screen is the old one
