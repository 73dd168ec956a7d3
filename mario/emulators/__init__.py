"""NES emulators behind one interface, `Emulator`: this package's own native one, and nes-py."""

from __future__ import annotations

import multiprocessing
import sys
from functools import cache
from pathlib import Path

from mario.emulators.emulator import Emulator
from mario.errors import unknown

__all__ = ["EMULATORS", "Emulator", "make_emulator"]

EMULATORS = ("auto", "native", "nes-py")


def make_emulator(rom: Path | str, name: str = "auto") -> Emulator:
    """Create an emulator, load a ROM and switch the console on.

    Args:
        rom: an iNES ROM file.
        name: one of `EMULATORS`. ``"auto"`` is the native emulator if it is built, else nes-py.

    Raises:
        UsageError: there is no such emulator, it is not installed, or it cannot play the ROM.

    >>> make_emulator(Path("game.nes"), "nespy")
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: unknown emulator 'nespy'; did you mean 'nes-py'?
    """
    if name not in EMULATORS:
        raise unknown("emulator", name, EMULATORS)
    rom = Path(rom)
    # Imported on first use, because the native emulator loads a shared library.
    from mario.emulators.native import NativeEmulator, is_built

    if name == "native" or (name == "auto" and is_built()):
        return NativeEmulator(rom)
    if name == "auto":
        _warn_about_nes_py()
    from mario.emulators.nes_py import NesPyEmulator

    return NesPyEmulator(rom)


@cache
def _warn_about_nes_py() -> None:
    """Print once that emulation will be slow; of several processes only the first one prints."""
    if multiprocessing.current_process().name in ("MainProcess", "game-0"):
        print(
            "emulator 'native' is not built, so games run on nes-py, many times slower;"
            " install a C++ compiler, then pip install again",
            file=sys.stderr,
        )
