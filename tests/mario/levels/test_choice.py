"""Names of levels, and the levels that need more actions."""

from __future__ import annotations

import pytest

from mario.errors import UsageError
from mario.games.smb_levels import LEVELS
from mario.levels.choice import demonstrated_actions, level_games


def test_unknown_and_repeated_levels_are_refused():
    with pytest.raises(UsageError, match="unknown game '9-1'"):
        level_games(["1-1", "9-1"])
    with pytest.raises(UsageError, match="names SuperMarioBros-1-1-v0 twice"):
        level_games(["all", "SuperMarioBros-1-1-v0"])
    with pytest.raises(UsageError, match="levels needs all, or the names of levels"):
        level_games([])


def test_only_levels_whose_demonstration_needed_it_get_more_actions():
    actions = {level: demonstrated_actions(f"SuperMarioBros-{level}-v0") for level in LEVELS}
    assert {level: name for level, name in actions.items() if name} == {
        "4-4": "complex", "8-4": "complex",
    }  # fmt: skip


@pytest.mark.parametrize("game", ["SuperMarioBros-v0", "Tetris-v0", "SuperMarioBros2-v0"])
def test_games_without_a_demonstration_have_the_usual_actions(game):
    assert demonstrated_actions(game) is None


def test_a_level_with_other_graphics_has_the_same_actions(tmp_path):
    assert demonstrated_actions("SuperMarioBros-8-4-v3") == "complex"
    assert demonstrated_actions("SuperMarioBros-8-4-v3", tmp_path) is None
