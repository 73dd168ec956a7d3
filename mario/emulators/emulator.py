"""What the rest of the program asks of a console, whichever emulator is behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

SCREEN_SHAPE = (240, 256, 3)
FRAMES_PER_SECOND = 60.0988
"""Frames a second that an NTSC console draws."""


class StateNotSupportedError(NotImplementedError):
    """Raised when an emulator cannot give its state as bytes."""


class Emulator(ABC):
    """An NES with a cartridge in it, switched on.

    Attributes:
        ram: the console's 2,048 bytes of work memory, live. An element is a Python int, so that
            arithmetic on it never wraps around; writing an element writes the console's memory.
    """

    name: str
    ram: memoryview

    @abstractmethod
    def advance(self, buttons: int) -> None:
        """Run one frame with the buttons of controller 1 held down.

        Args:
            buttons: a bit for each button: right 128, left 64, down 32, up 16, start 8, select 4,
                B 2, A 1.
        """

    @abstractmethod
    def screen(self) -> NDArray[np.uint8]:
        """The last frame drawn: a fresh uint8 array ``(240, 256, 3)``, RGB."""

    @abstractmethod
    def power_on(self) -> None:
        """Switch the console off and on."""

    @abstractmethod
    def mark(self) -> None:
        """Remember the present moment, in place of the one remembered before."""

    @abstractmethod
    def rewind(self) -> None:
        """Return to the moment that `mark` remembered."""

    def save_state(self) -> bytes:
        """The whole state of the console.

        Raises:
            StateNotSupportedError: this emulator cannot.
        """
        raise StateNotSupportedError(f"{self.name} cannot give its state as bytes")

    def load_state(self, state: bytes) -> None:
        """Return to a moment that `save_state` gave.

        Raises:
            StateNotSupportedError: this emulator cannot.
        """
        raise StateNotSupportedError(f"{self.name} cannot take its state from bytes")

    @abstractmethod
    def close(self) -> None:
        """Free the console. Closing twice is harmless."""
