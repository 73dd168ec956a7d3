"""The levels of Super Mario Bros. and its Lost Levels, and how the game itself counts them."""

from __future__ import annotations

from mario.errors import UsageError

LEVELS = tuple(f"{world}-{stage}" for world in range(1, 9) for stage in range(1, 5))
LOST_LEVELS = LEVELS[:16]
"""The Lost Levels that can be started at; in later worlds the game's numbering differs."""

WALKS = frozenset({1, 2, 4, 7})
"""Worlds in which a walk to the first pipe counts as an area between the first two stages."""
LOST_WALKS = frozenset({1, 3})


def level_location(level: str, lost_levels: bool = False) -> tuple[int, int, int]:
    """Where the game keeps a level.

    Args:
        level: its name, e.g. ``"1-2"``.
        lost_levels: whether it is one of the Lost Levels.

    Returns:
        World, stage and area, each counted from 1.

    Raises:
        UsageError: there is no such level, or it cannot be started at.

    >>> level_location("1-2")
    (1, 2, 3)
    """
    levels, walks = (LOST_LEVELS, LOST_WALKS) if lost_levels else (LEVELS, WALKS)
    if level not in levels:
        raise UsageError(f"level must be one of {levels[0]} to {levels[-1]}, got {level!r}")
    world, stage = map(int, level.split("-"))
    return world, stage, stage + 1 if world in walks and stage > 1 else stage
