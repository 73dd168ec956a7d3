"""Finds ROM files within installed packages, none of which is imported."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from mario.errors import UsageError, unknown

MARIO_PACKAGE = "gym_super_mario_bros"

LOOKS = {
    "vanilla": ("super-mario-bros.nes",),
    "downsample": ("super-mario-bros-downsample.nes",),
    "pixel": ("super-mario-bros-pixel.nes",),
    "rectangle": ("super-mario-bros-rectangle.nes",),
}
"""The ROM files of each look of Super Mario Bros."""

# From version 9 of the package on, super-mario-bros-2.nes is another game.
LOST_LOOKS = {
    "vanilla": ("super-mario-bros-lost-levels.nes", "super-mario-bros-2.nes"),
    "downsample": ("super-mario-bros-2-downsample.nes",),
}
"""The ROM files of each look of its Lost Levels."""


def packaged_rom(package: str, *names: str) -> Path:
    """Find a ROM file that comes with a package.

    Args:
        package: the package's import name; it is not imported.
        names: file names to look for; the first that is there is taken.

    Raises:
        UsageError: the package is not installed, or has no such file.

    >>> packaged_rom("gym_nothing", "nothing.nes")
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: the ROM comes with gym-nothing; pip install gym-nothing
    """
    spec = importlib.util.find_spec(package)
    project = package.replace("_", "-")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(f"the ROM comes with {project}; pip install {project}")
    folder = Path(spec.submodule_search_locations[0]) / "_roms"
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise UsageError(f"the installed {project} has no ROM {' or '.join(names)}; give another one")


def mario_rom(look: str = "vanilla", lost_levels: bool = False) -> Path:
    """Find the ROM file of a look of Super Mario Bros.

    Args:
        look: one of `LOOKS`, or of `LOST_LOOKS`.
        lost_levels: whether its Lost Levels are asked for.

    Raises:
        UsageError: there is no such look, or it is not installed.
    """
    looks = LOST_LOOKS if lost_levels else LOOKS
    if look not in looks:
        raise unknown("look", look, looks)
    return packaged_rom(MARIO_PACKAGE, *looks[look])


def mario_looks(lost_levels: bool = False) -> dict[int, str]:
    """The looks that are installed, by the version that they have in the names of games.

    Args:
        lost_levels: whether those of the Lost Levels are asked for.

    Returns:
        Looks by version; version 0 is always there, so that making its game tells what is missing.
    """
    looks = LOST_LOOKS if lost_levels else LOOKS
    return {
        version: look
        for version, look in enumerate(looks)
        if version == 0 or _installed(look, lost_levels)
    }


def _installed(look: str, lost_levels: bool) -> bool:
    try:
        mario_rom(look, lost_levels)
    except UsageError:
        return False
    return True
