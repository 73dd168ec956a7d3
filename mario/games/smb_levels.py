"""Levels of Super Mario Bros. and the Lost Levels, and how the games number them."""

from __future__ import annotations

from mario.errors import UsageError

LEVELS = tuple(f"{world}-{stage}" for world in range(1, 9) for stage in range(1, 5))
LOST_LEVELS = LEVELS[:16]
"""Lost Levels that can be selected; the numbering differs in later worlds."""

INTRO_WORLDS = frozenset({1, 2, 4, 7})
"""Worlds with an intro scene between the first two stages, which counts as an area."""
LOST_LEVELS_INTRO_WORLDS = frozenset({1, 3})


def level_location(level: str, lost_levels: bool = False) -> tuple[int, int, int]:
    """Return the numbers by which the game selects a level.

    Args:
        level: Name of the level, e.g. ``"1-2"``.
        lost_levels: Whether it is one of the Lost Levels.

    Returns:
        World, stage and area, each counted from 1.

    Raises:
        UsageError: The level does not exist or cannot be selected.

    >>> level_location("1-2")
    (1, 2, 3)
    """
    levels, intro_worlds = (
        (LOST_LEVELS, LOST_LEVELS_INTRO_WORLDS) if lost_levels else (LEVELS, INTRO_WORLDS)
    )
    if level not in levels:
        raise UsageError(f"level must be one of {levels[0]} to {levels[-1]}, got {level!r}")
    world, stage = map(int, level.split("-"))
    return world, stage, stage + 1 if world in intro_worlds and stage > 1 else stage
