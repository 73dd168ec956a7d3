"""Tests of level numbers in Super Mario Bros."""

from __future__ import annotations

import pytest

from mario.errors import UsageError
from mario.games.smb_levels import LEVELS, level_location


def test_there_are_32_levels_in_game_order() -> None:
    assert len(LEVELS) == 32
    assert (LEVELS[0], LEVELS[4], LEVELS[-1]) == ("1-1", "2-1", "8-4")


@pytest.mark.parametrize("world", [1, 2, 4, 7])
def test_an_intro_scene_shifts_the_following_areas(world: int) -> None:
    areas = [level_location(f"{world}-{stage}")[2] for stage in (1, 2, 3, 4)]
    assert areas == [1, 3, 4, 5]


@pytest.mark.parametrize("world", [3, 5, 6, 8])
def test_without_an_intro_scene_the_area_is_the_stage(world: int) -> None:
    areas = [level_location(f"{world}-{stage}")[2] for stage in (1, 2, 3, 4)]
    assert areas == [1, 2, 3, 4]


def test_the_lost_levels_have_intro_scenes_in_other_worlds() -> None:
    assert [level_location(f"{world}-2", lost_levels=True)[2] for world in (1, 2, 3, 4)] == [
        3,
        2,
        3,
        2,
    ]


@pytest.mark.parametrize("level", ["0-1", "1-5", "11", "", "1-1-1"])
def test_unknown_levels_are_rejected(level: str) -> None:
    with pytest.raises(UsageError, match=f"level must be one of 1-1 to 8-4, got '{level}'"):
        level_location(level)
