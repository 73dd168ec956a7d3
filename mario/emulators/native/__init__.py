"""The native emulator: an NES emulator in C++ with the results of nes-py at many times its speed.

See the README in this folder. Calls release the GIL, so consoles in different threads run in
parallel.
"""

from __future__ import annotations

import ctypes
import weakref
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mario.emulators.emulator import SCREEN_SHAPE, Emulator
from mario.emulators.rom import check_rom
from mario.errors import UsageError

__all__ = ["NativeEmulator", "is_built", "library"]

MAPPERS = frozenset({0, 1, 2, 3, 4})
RAM_BYTES = 2048
NUM_COLORS = 64


class NativeEmulator(Emulator):
    """A console emulated by the C++ extension of this package.

    Args:
        rom: An iNES ROM file.

    Raises:
        UsageError: the extension is not built, or it cannot play the ROM.
    """

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
        self._backup = b""
        ram = _Ram.from_address(native.nes_ram(self._console))
        # A view of the RAM may outlive this object, so the console is freed with the last view.
        weakref.finalize(ram, native.nes_close, self._console).atexit = False
        self.ram = memoryview(ram).cast("B")
        pixels = (ctypes.c_ubyte * (SCREEN_SHAPE[0] * SCREEN_SHAPE[1])).from_address(
            native.nes_screen(self._console)
        )
        self._color_indices = np.ctypeslib.as_array(pixels).reshape(SCREEN_SHAPE[:2])

    def advance(self, buttons: int, render: bool = True) -> None:
        """See `Emulator.advance`.

        Args:
            buttons: bit mask of the buttons that are held down.
            render: whether to update `screen`. False halves the time that a frame takes.
        """
        self._native.nes_advance(self._handle(), buttons, render)

    def screen(self) -> NDArray[np.uint8]:
        """See `Emulator.screen`."""
        self._handle()
        return _palette()[self._color_indices]

    def power_on(self) -> None:
        """See `Emulator.power_on`."""
        self._native.nes_power_on(self._handle())

    def backup(self) -> None:
        """See `Emulator.backup`."""
        self._backup = self.save_state()

    def restore(self) -> None:
        """See `Emulator.restore`."""
        self.load_state(self._backup)

    def save_state(self, screen: bool = True) -> bytes:
        """See `Emulator.save_state`. Without the screen, a state is a tenth of the size."""
        state = ctypes.create_string_buffer(self._native.nes_state_size(self._handle(), screen))
        self._native.nes_save_state(self._handle(), state, screen)
        return state.raw

    def load_state(self, state: bytes) -> None:
        """See `Emulator.load_state`.

        Raises:
            UsageError: the bytes are not a state of this game. The console is left unchanged.
        """
        if not self._native.nes_load_state(self._handle(), state, len(state)):
            raise UsageError(
                f"{len(state):,} bytes are not a state of this game; "
                "give bytes that save_state returned"
            )

    def close(self) -> None:
        """See `Emulator.close`. Reading `ram` afterwards raises ValueError."""
        if self._console:
            self.ram.release()
            self._console = None

    def _handle(self) -> int:
        if not self._console:
            raise ValueError("the emulator is closed; make a new one")
        return self._console


def is_built() -> bool:
    """Return whether the extension is installed."""
    return find_spec(f"{__name__}._native") is not None


@cache
def library() -> ctypes.CDLL:
    """Return the C functions of the extension, which ``c_api.cpp`` defines.

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
        ("nes_state_size", size, [pointer, ctypes.c_int]),
        ("nes_save_state", None, [pointer, pointer, ctypes.c_int]),
        ("nes_load_state", ctypes.c_int, [pointer, chars, size]),
    ):
        function = getattr(native, name)
        function.restype, function.argtypes = result, arguments
    return native


@cache
def _palette() -> NDArray[np.uint8]:
    """Return the RGB values of all colors, uint8 ``(64, 3)``."""
    colors = (ctypes.c_ubyte * 3 * NUM_COLORS).from_address(library().nes_palette())
    return np.ctypeslib.as_array(colors)


class _Ram(ctypes.Array[ctypes.c_ubyte]):
    """The work RAM of a console."""

    _type_ = ctypes.c_ubyte
    _length_ = RAM_BYTES
