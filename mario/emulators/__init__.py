"""Consoles to play on, behind one contract."""

from __future__ import annotations

import multiprocessing
import sys
from functools import cache
from pathlib import Path

from mario.emulators.emulator import Emulator
from mario.errors import unknown

__all__ = ["EMULATORS", "Emulator", "make_emulator"]

EMULATORS = ("auto", "native", "nes-py")


def make_emulator(rom: Path, name: str = "auto") -> Emulator:
    """Put a cartridge in a console and switch it on.

    Args:
        rom: an iNES ROM file.
        name: one of `EMULATORS`; ``"auto"`` is native where that is built, else nes-py.

    Raises:
        UsageError: there is no such emulator, it is not installed, or cannot play the ROM.

    >>> make_emulator(Path("game.nes"), "nespy")
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: unknown emulator 'nespy'; did you mean 'nes-py'?
    """
    if name not in EMULATORS:
        raise unknown("emulator", name, EMULATORS)
    from mario.emulators.native import Native, is_built  # a compiled library loads on first use

    if name == "native" or (name == "auto" and is_built()):
        return Native(rom)
    if name == "auto":
        _notice_fallback()
    from mario.emulators.nes_py import NesPy

    return NesPy(rom)


@cache
def _notice_fallback() -> None:
    """Tell once that games will be slow: of many processes only the first game's does."""
    if multiprocessing.current_process().name in ("MainProcess", "game-0"):
        print(
            "emulator 'native' is not built, so games run on nes-py, many times slower;"
            " install a C++ compiler, then pip install again",
            file=sys.stderr,
        )
