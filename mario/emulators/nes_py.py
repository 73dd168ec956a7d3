"""The nes-py emulator: version 8 below Python 3.13, version 9 from there on."""

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
V8_MAPPERS = frozenset({0, 1, 2, 3})


class Console(Protocol):
    """What `NesPy` needs of either version."""

    def frame_advance(self, buttons: int) -> None:
        """Run one frame."""

    def copy_screen_rgb(self) -> NDArray[np.uint8]:
        """A fresh copy of the screen."""

    def ram_buffer(self) -> Any:
        """The console's memory, kept alive by what is returned."""

    def reset(self) -> None:
        """Press the reset button."""

    def backup(self) -> None:
        """Remember the present moment."""

    def restore(self) -> None:
        """Return to the moment remembered."""


class NesPy(Emulator):
    """A console emulated by nes-py.

    The state cannot be had as bytes: version 8 has one slot for it within itself, and what version
    9 gives is opaque. Neither does version 8's slot hold which banks a cartridge has switched in;
    Super Mario Bros. has none, and Tetris plays with the same ones throughout.
    """

    name = "nes-py"

    def __init__(self, rom: Path) -> None:
        make, plays_mapper = _installed()
        check_rom(rom, plays_mapper)
        self._make: Callable[[], Console] = lambda: make(str(rom.absolute()))
        self._console: Console | None = None
        self.power_on()

    def advance(self, buttons: int) -> None:
        """See `Emulator.advance`."""
        self._open().frame_advance(buttons)

    def screen(self) -> NDArray[np.uint8]:
        """See `Emulator.screen`."""
        return self._open().copy_screen_rgb()

    def power_on(self) -> None:
        """See `Emulator.power_on`. `ram` is a new view afterwards."""
        # The reset button leaves the memory as it is, so the console is a new one.
        self.close()
        self._console = self._make()
        self._console.reset()
        self.ram = memoryview(self._console.ram_buffer()).cast("B")

    def mark(self) -> None:
        """See `Emulator.mark`."""
        self._open().backup()

    def rewind(self) -> None:
        """See `Emulator.rewind`."""
        self._open().restore()

    def close(self) -> None:
        """See `Emulator.close`. What is read from `ram` afterwards raises ValueError."""
        if self._console is not None:
            self.ram.release()
        self._console = None

    def _open(self) -> Console:
        if self._console is None:
            raise ValueError("the emulator is closed; make a new one")
        return self._console


@cache
def _installed() -> tuple[Callable[[str], Console], Callable[[int], bool]]:
    """What makes a console of the installed version, and whether that plays a mapper.

    Raises:
        UsageError: nes-py is not installed, or without its compiled library.
    """
    # Version 8 imports the unmaintained gym and prints its notice, so it is never imported.
    spec = importlib.util.find_spec("nes_py")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        for library in sorted(Path(folder).glob("lib_nes_env*")):
            return _Console8.using(library), V8_MAPPERS.__contains__
    if not folders:
        raise UsageError("emulator 'nes-py' is not installed; pip install nes-py")
    try:
        from nes_py import _native
    except ImportError as error:
        raise UsageError(f"emulator 'nes-py' is broken: {error}; reinstall nes-py") from None
    return _native.NativeEmulator, _native.is_mapper_supported


class _Ram8(ctypes.Array[ctypes.c_ubyte]):
    """Memory of a console, which outlives every view of it."""

    _type_ = ctypes.c_ubyte
    _length_ = RAM_BYTES
    console: _Console8


class _Console8:
    """nes-py 8's compiled library, with the face of version 9's."""

    def __init__(self, library: ctypes.CDLL, rom: str) -> None:
        self._library = library
        self._pointer = ctypes.c_void_p(library.Initialize(rom))
        # One controller is three bytes: strobe, buttons, buttons not yet read; there are two. The
        # library gives the address of the first one's buttons, and leaves them out of its backup.
        strobe = library.Controller(self._pointer, 0) - 1
        self._controllers = (ctypes.c_ubyte * 6).from_address(strobe)
        self._remembered: list[ctypes.c_ubyte | int] = [*self._controllers]
        pixels = (ctypes.c_ubyte * 4 * SCREEN_SHAPE[1] * SCREEN_SHAPE[0]).from_address(
            library.Screen(self._pointer)
        )
        self._bgrx = np.ctypeslib.as_array(pixels)

    @classmethod
    def using(cls, path: Path) -> Callable[[str], _Console8]:
        """What makes a console, given the path of a ROM."""
        library = ctypes.CDLL(str(path))
        library.Initialize.argtypes = [ctypes.c_wchar_p]
        library.Initialize.restype = ctypes.c_void_p
        library.Controller.argtypes = [ctypes.c_void_p, ctypes.c_uint]
        library.Controller.restype = ctypes.c_void_p
        for name in ("Screen", "Memory", "Reset", "Step", "Backup", "Restore", "Close"):
            function = getattr(library, name)
            function.argtypes, function.restype = [ctypes.c_void_p], None
        library.Screen.restype = library.Memory.restype = ctypes.c_void_p
        # The library makes a byte of each character, so each byte is given as a character.
        return lambda rom: cls(library, os.fsencode(rom).decode("latin-1"))

    def frame_advance(self, buttons: int) -> None:
        """Run one frame."""
        self._controllers[1] = buttons
        self._library.Step(self._pointer)

    def copy_screen_rgb(self) -> NDArray[np.uint8]:
        """A fresh copy of the screen."""
        return np.asarray(cv2.cvtColor(self._bgrx, cv2.COLOR_BGRA2RGB), np.uint8)

    def ram_buffer(self) -> Any:
        """The console's memory, which keeps the console alive."""
        ram = _Ram8.from_address(self._library.Memory(self._pointer))
        ram.console = self
        return ram

    def reset(self) -> None:
        """Press the reset button."""
        self._library.Reset(self._pointer)

    def backup(self) -> None:
        """Remember the present moment, its controllers included."""
        self._remembered = [*self._controllers]
        self._library.Backup(self._pointer)

    def restore(self) -> None:
        """Return to the moment remembered."""
        self._controllers[:] = self._remembered
        self._library.Restore(self._pointer)

    def __del__(self) -> None:
        self._library.Close(self._pointer)
