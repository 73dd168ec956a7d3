"""The interface of an NES emulator."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

SCREEN_SHAPE = (240, 256, 3)
FRAMES_PER_SECOND = 60.0988
"""Frame rate of an NTSC console, in hertz."""


class StateNotSupportedError(NotImplementedError):
    """Raised by an emulator that cannot save or load its state as bytes."""


class Emulator(ABC):
    """A running NES with a cartridge inserted.

    Attributes:
        name: name of the emulator, one of `mario.emulators.EMULATORS`.
        ram: live view of the 2,048 bytes of work RAM. An element is a Python int, so arithmetic on
            it never overflows. Writing an element writes to the console's memory.
    """

    name: str
    ram: memoryview

    @abstractmethod
    def advance(self, buttons: int) -> None:
        """Run one frame with the given buttons of controller 1 held down.

        Args:
            buttons: bit mask: right 128, left 64, down 32, up 16, start 8, select 4, B 2, A 1.
        """

    @abstractmethod
    def screen(self) -> NDArray[np.uint8]:
        """Return a copy of the last frame: RGB, uint8 ``(240, 256, 3)``."""

    @abstractmethod
    def power_on(self) -> None:
        """Switch the console off and on again."""

    @abstractmethod
    def backup(self) -> None:
        """Save the state to the emulator's one backup slot, replacing the previous backup."""

    @abstractmethod
    def restore(self) -> None:
        """Return to the state that `backup` saved last; call `backup` first."""

    def save_state(self, screen: bool = True) -> bytes:
        """Return the complete state of the console.

        Args:
            screen: whether the state includes the screen. Without it the state may be much
                smaller, and `screen` is undefined until the next frame after loading it.

        Raises:
            StateNotSupportedError: this emulator cannot export its state.
        """
        raise StateNotSupportedError(
            f"{self.name} cannot save its state as bytes; use the native emulator"
        )

    def load_state(self, state: bytes) -> None:
        """Return to a state that `save_state` returned.

        Raises:
            StateNotSupportedError: this emulator cannot import a state.
        """
        raise StateNotSupportedError(
            f"{self.name} cannot load a state from bytes; use the native emulator"
        )

    @abstractmethod
    def close(self) -> None:
        """Free the console. May be called more than once."""
