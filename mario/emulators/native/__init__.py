"""The native emulator: any simple NES game, many times faster than nes-py, and equal to it.

The console is C++, see the README of this folder. Calls leave Python's lock, so consoles that are
stepped by several threads run at the same time.
"""

from __future__ import annotations

import ctypes
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mario.emulators.emulator import SCREEN_SHAPE, Emulator
from mario.emulators.rom import check_rom
from mario.errors import UsageError

__all__ = ["Native", "is_built", "library"]

MAPPERS = frozenset({0, 1, 2, 3, 4})
RAM_BYTES = 2048
COLOURS = 64


class Native(Emulator):
    """A console emulated by this package's own extension."""

    name = "native"

    def __init__(self, rom: Path) -> None:
        self._console: int | None = None
        native = library()
        check_rom(rom, MAPPERS.__contains__)
        data, error = rom.read_bytes(), ctypes.create_string_buffer(256)
        self._console = native.nes_open(data, len(data), error, len(error))
        if not self._console:
            raise UsageError(f"ROM {rom} {error.value.decode()}; give another file")
        self._native = native
        self._state_bytes: int = native.nes_state_size(self._console)
        self._marked = b""
        ram = _Ram.from_address(native.nes_ram(self._console))
        # A view of the memory outlives this object, and then the console has to as well.
        ram.emulator = self
        self.ram = memoryview(ram).cast("B")
        indices = (ctypes.c_ubyte * (SCREEN_SHAPE[0] * SCREEN_SHAPE[1])).from_address(
            native.nes_screen(self._console)
        )
        self._indices = np.ctypeslib.as_array(indices).reshape(SCREEN_SHAPE[:2])

    def advance(self, buttons: int, drawn: bool = True) -> None:
        """See `Emulator.advance`.

        Args:
            buttons: a bit for each button.
            drawn: whether `screen` will be asked for; a frame that is not drawn costs half.
        """
        self._native.nes_advance(self._open(), buttons, drawn)

    def screen(self) -> NDArray[np.uint8]:
        """See `Emulator.screen`."""
        self._open()
        return _palette()[self._indices]

    def power_on(self) -> None:
        """See `Emulator.power_on`."""
        self._native.nes_power_on(self._open())

    def mark(self) -> None:
        """See `Emulator.mark`."""
        self._marked = self.save_state()

    def rewind(self) -> None:
        """See `Emulator.rewind`."""
        self.load_state(self._marked)

    def save_state(self) -> bytes:
        """See `Emulator.save_state`. States are of one size, and hold the screen."""
        state = ctypes.create_string_buffer(self._state_bytes)
        self._native.nes_save_state(self._open(), state)
        return state.raw

    def load_state(self, state: bytes) -> None:
        """See `Emulator.load_state`.

        Raises:
            UsageError: this is no state of this cartridge; the console stays as it is.
        """
        if not self._native.nes_load_state(self._open(), state, len(state)):
            raise UsageError(f"{len(state):,} bytes are no state of this game; give one it saved")

    def close(self) -> None:
        """See `Emulator.close`. What is read from `ram` afterwards raises ValueError."""
        if self._console:
            self.ram.release()
            self._closed()

    def _closed(self) -> None:
        self._native.nes_close(self._console)
        self._console = None

    def _open(self) -> int:
        if not self._console:
            raise ValueError("the emulator is closed; make a new one")
        return self._console


def is_built() -> bool:
    """Whether the extension is there."""
    return find_spec(f"{__name__}._native") is not None


@cache
def library() -> ctypes.CDLL:
    """The extension's C functions, see ``c_abi.cpp``.

    Raises:
        UsageError: the extension is not built.
    """
    spec = find_spec(f"{__name__}._native")
    if spec is None or spec.origin is None:
        raise UsageError(
            "emulator 'native' is not built; install a C++ compiler, then pip install again,"
            " or use --emulator nes-py"
        )
    native = ctypes.CDLL(spec.origin)
    pointer, size, chars = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    for name, result, arguments in (
        ("nes_open", pointer, [chars, size, chars, size]),
        ("nes_close", None, [pointer]),
        ("nes_power_on", None, [pointer]),
        ("nes_advance", None, [pointer, ctypes.c_uint8, ctypes.c_int]),
        ("nes_ram", pointer, [pointer]),
        ("nes_screen", pointer, [pointer]),
        ("nes_palette", pointer, []),
        ("nes_state_size", size, [pointer]),
        ("nes_save_state", None, [pointer, pointer]),
        ("nes_load_state", ctypes.c_int, [pointer, chars, size]),
    ):
        function = getattr(native, name)
        function.restype, function.argtypes = result, arguments
    return native


@cache
def _palette() -> NDArray[np.uint8]:
    """Red, green and blue of every colour: uint8 ``(64, 3)``."""
    colours = (ctypes.c_ubyte * 3 * COLOURS).from_address(library().nes_palette())
    return np.ctypeslib.as_array(colours)


class _Ram(ctypes.Array[ctypes.c_ubyte]):
    """Memory of a console, which outlives every view of it."""

    _type_ = ctypes.c_ubyte
    _length_ = RAM_BYTES
    emulator: Native
