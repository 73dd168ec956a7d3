"""Find ROM files in installed packages without importing them."""

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
"""ROM file names of each look (graphics variant) of Super Mario Bros."""

# Since version 9 of the package, super-mario-bros-2.nes is a different game.
LOST_LEVELS_LOOKS = {
    "vanilla": ("super-mario-bros-lost-levels.nes", "super-mario-bros-2.nes"),
    "downsample": ("super-mario-bros-2-downsample.nes",),
}
"""ROM file names of each look of the Lost Levels."""


def packaged_rom(package: str, *names: str) -> Path:
    """Return the path of a ROM file inside an installed package.

    Args:
        package: Import name of the package, which is not imported.
        names: Candidate file names; the first that exists is returned.

    Raises:
        UsageError: The package is not installed or contains none of the files.

    >>> packaged_rom("gym_nothing", "nothing.nes")
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: the ROM is part of gym-nothing; pip install gym-nothing
    """
    spec = importlib.util.find_spec(package)
    project = package.replace("_", "-")
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(f"the ROM is part of {project}; pip install {project}")
    folder = Path(spec.submodule_search_locations[0]) / "_roms"
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise UsageError(
        f"the installed {project} has no ROM {' or '.join(names)}; install another version"
    )


def mario_rom(look: str = "vanilla", lost_levels: bool = False) -> Path:
    """Return the ROM file of Super Mario Bros. or its Lost Levels.

    Args:
        look: A key of `LOOKS` or `LOST_LEVELS_LOOKS`.
        lost_levels: Whether to return the ROM of the Lost Levels.

    Raises:
        UsageError: The look is unknown or not installed.
    """
    looks = LOST_LEVELS_LOOKS if lost_levels else LOOKS
    if look not in looks:
        raise unknown("look", look, looks)
    return packaged_rom(MARIO_PACKAGE, *looks[look])


def mario_looks(lost_levels: bool = False) -> dict[int, str]:
    """Return the installed looks by their version in environment ids.

    Args:
        lost_levels: Whether to return the looks of the Lost Levels.

    Returns:
        Looks by version. Version 0 is always included, so that making it reports what to install.
    """
    looks = LOST_LEVELS_LOOKS if lost_levels else LOOKS
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
