"""The nes-py emulator: version 8 below Python 3.13, version 9 from Python 3.13 on."""

from __future__ import annotations

import ctypes
import importlib.util
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from mario.emulators.emulator import SCREEN_SHAPE, Emulator
from mario.emulators.rom import check_rom
from mario.errors import UsageError

RAM_BYTES = 2048
MAX_ROM_BYTES = 255 * 8 * 1024
"""Sizes above this may need more than one byte in the header; nes-py reads only the first."""
V8_MAPPERS = frozenset({0, 1, 2, 3})


class Console(Protocol):
    """The methods of nes-py's console that `NesPyEmulator` uses, in both versions."""

    def frame_advance(self, buttons: int) -> None:
        """Run one frame."""

    def copy_screen_rgb(self) -> NDArray[np.uint8]:
        """Return a copy of the screen."""

    def ram_buffer(self) -> Any:
        """Return a buffer over the console's RAM that keeps the console alive."""

    def reset(self) -> None:
        """Press the reset button."""

    def backup(self) -> None:
        """Save the state."""

    def restore(self) -> None:
        """Return to the saved state."""


class NesPyEmulator(Emulator):
    """A console emulated by nes-py.

    The state cannot be exported as bytes: version 8 keeps one internal backup, and version 9
    returns an opaque object. The backup of version 8 does not include the mapper's bank selection.
    This does not matter for Super Mario Bros., which has no banks, or for Tetris, which never
    switches them.

    Args:
        rom: An iNES ROM file.

    Raises:
        UsageError: nes-py is not installed, or it cannot play the ROM.
    """

    name = "nes-py"

    def __init__(self, rom: Path) -> None:
        make_console, supports_mapper = _load_nes_py()
        header = check_rom(rom, supports_mapper)
        if header.has_exponents or max(header.prg_bytes, header.chr_bytes) > MAX_ROM_BYTES:
            raise UsageError(f"ROM {rom} has a size that nes-py misreads; use --emulator native")
        self._make_console: Callable[[], Console] = lambda: make_console(str(rom.absolute()))
        self._console: Console | None = None
        self.power_on()

    def advance(self, buttons: int) -> None:
        """See `Emulator.advance`."""
        self._open().frame_advance(buttons)

    def screen(self) -> NDArray[np.uint8]:
        """See `Emulator.screen`."""
        return self._open().copy_screen_rgb()

    def power_on(self) -> None:
        """See `Emulator.power_on`. Replaces `ram` with a new view."""
        # The reset button does not clear RAM, so a new console is created.
        self.close()
        self._console = self._make_console()
        self._console.reset()
        self.ram = memoryview(self._console.ram_buffer()).cast("B")

    def backup(self) -> None:
        """See `Emulator.backup`."""
        self._open().backup()

    def restore(self) -> None:
        """See `Emulator.restore`."""
        self._open().restore()

    def close(self) -> None:
        """See `Emulator.close`. Reading `ram` afterwards raises ValueError."""
        if self._console is not None:
            self.ram.release()
        self._console = None

    def _open(self) -> Console:
        if self._console is None:
            raise ValueError("the emulator is closed; make a new one")
        return self._console


@cache
def _load_nes_py() -> tuple[Callable[[str], Console], Callable[[int], bool]]:
    """Load the installed version of nes-py.

    Returns:
        A function that creates a console from the path of a ROM, and a function that returns
        whether a mapper is supported.

    Raises:
        UsageError: nes-py or its compiled library is not installed.
    """
    # The Python package of version 8 imports the unmaintained gym, which prints a warning, so only
    # its compiled library is loaded.
    spec = importlib.util.find_spec("nes_py")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        for library in sorted(Path(folder).glob("lib_nes_env*")):
            return _Console8.factory(library), V8_MAPPERS.__contains__
    if not folders:
        raise UsageError("emulator 'nes-py' is not installed; pip install nes-py")
    try:
        from nes_py import _native
    except ImportError as error:
        raise UsageError(f"emulator 'nes-py' is broken: {error}; reinstall nes-py") from None
    return _native.NativeEmulator, _native.is_mapper_supported


class _Ram8(ctypes.Array[ctypes.c_ubyte]):
    """RAM of a console. Keeps the console alive as long as any view of it exists."""

    _type_ = ctypes.c_ubyte
    _length_ = RAM_BYTES
    console: _Console8


class _Console8:
    """A console of nes-py 8's compiled library, with the interface of version 9."""

    def __init__(self, library: ctypes.CDLL, rom: str) -> None:
        self._library = library
        self._pointer = ctypes.c_void_p(library.Initialize(rom))
        # Each of the two controllers has three bytes: strobe, buttons, and buttons not yet read.
        # `Controller` returns the address of the first controller's buttons. The library's backup
        # does not include the controllers.
        strobe = library.Controller(self._pointer, 0) - 1
        self._controllers = (ctypes.c_ubyte * 6).from_address(strobe)
        self._saved_controllers: list[ctypes.c_ubyte | int] = [*self._controllers]
        pixels = (ctypes.c_ubyte * 4 * SCREEN_SHAPE[1] * SCREEN_SHAPE[0]).from_address(
            library.Screen(self._pointer)
        )
        self._bgrx = np.ctypeslib.as_array(pixels)

    @classmethod
    def factory(cls, path: Path) -> Callable[[str], _Console8]:
        """Return a function that creates a console from the path of a ROM."""
        library = ctypes.CDLL(str(path))
        library.Initialize.argtypes = [ctypes.c_wchar_p]
        library.Initialize.restype = ctypes.c_void_p
        library.Controller.argtypes = [ctypes.c_void_p, ctypes.c_uint]
        library.Controller.restype = ctypes.c_void_p
        for name in ("Screen", "Memory", "Reset", "Step", "Backup", "Restore", "Close"):
            function = getattr(library, name)
            function.argtypes, function.restype = [ctypes.c_void_p], None
        library.Screen.restype = library.Memory.restype = ctypes.c_void_p
        # The library converts each character of the path to one byte, so pass bytes as characters.
        return lambda rom: cls(library, os.fsencode(rom).decode("latin-1"))

    def frame_advance(self, buttons: int) -> None:
        """Run one frame."""
        self._controllers[1] = buttons
        self._library.Step(self._pointer)

    def copy_screen_rgb(self) -> NDArray[np.uint8]:
        """Return a copy of the screen."""
        return np.asarray(cv2.cvtColor(self._bgrx, cv2.COLOR_BGRA2RGB), np.uint8)

    def ram_buffer(self) -> Any:
        """Return a buffer over the console's RAM that keeps the console alive."""
        ram = _Ram8.from_address(self._library.Memory(self._pointer))
        ram.console = self
        return ram

    def reset(self) -> None:
        """Press the reset button."""
        self._library.Reset(self._pointer)

    def backup(self) -> None:
        """Save the state, including the controllers."""
        self._saved_controllers = [*self._controllers]
        self._library.Backup(self._pointer)

    def restore(self) -> None:
        """Return to the saved state."""
        self._controllers[:] = self._saved_controllers
        self._library.Restore(self._pointer)

    def __del__(self) -> None:
        self._library.Close(self._pointer)
