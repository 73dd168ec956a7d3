"""Consoles to play on, behind one contract."""

from __future__ import annotations

from pathlib import Path

from mario.emulators.emulator import Emulator
from mario.errors import unknown

__all__ = ["EMULATORS", "Emulator", "make_emulator"]

EMULATORS = ("auto", "nes-py")


def make_emulator(rom: Path, name: str = "auto") -> Emulator:
    """Put a cartridge in a console and switch it on.

    Args:
        rom: an iNES ROM file.
        name: one of `EMULATORS`; ``"auto"`` takes the best one installed.

    Raises:
        UsageError: there is no such emulator, it is not installed, or cannot play the ROM.

    >>> make_emulator(Path("game.nes"), "nespy")
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: unknown emulator 'nespy'; did you mean 'nes-py'?
    """
    if name not in EMULATORS:
        raise unknown("emulator", name, EMULATORS)
    from mario.emulators.nes_py import NesPy  # its compiled library loads on first use

    return NesPy(rom)
