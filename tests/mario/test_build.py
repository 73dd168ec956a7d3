"""Which way a game is played."""

from __future__ import annotations

import pytest

from mario import build
from mario.build import can_be_fused, make_games
from mario.vector import GameVector
from wrappers import WrapperConfig

MARIO = "SuperMarioBros-1-1-v0"


@pytest.fixture
def built(monkeypatch):
    """Says whether the compiled code is there."""

    def say(there):
        monkeypatch.setattr(build, "find_spec", lambda name: object() if there else None)

    say(True)
    return say


@pytest.mark.parametrize("game", [MARIO, "SuperMarioBros-v0", "SuperMarioBros2-v0"])
@pytest.mark.parametrize("emulator", ["auto", "native"])
def test_mario_is_played_by_compiled_code(built, game, emulator):
    assert can_be_fused(game, emulator, WrapperConfig())
    built(False)
    assert not can_be_fused(game, emulator, WrapperConfig())


@pytest.mark.parametrize("game", ["Tetris-v0", "SuperMarioBrosRandomStages-v0", "mine:Mine-v0"])
def test_other_games_are_played_in_python(built, game):
    assert not can_be_fused(game, "auto", WrapperConfig())


def test_what_only_python_can_do_is_done_there(built):
    assert not can_be_fused(MARIO, "nes-py", WrapperConfig())
    assert not can_be_fused(MARIO, "auto", WrapperConfig(size=241))


def test_both_ways_show_the_same_spaces():
    pytest.importorskip("mario.games._native", reason="the native extension is not built")
    spaces = []
    for emulator in ("native", "nes-py"):
        games = make_games(
            MARIO, '[["right"]]', emulator, WrapperConfig(size=20), num_envs=2, seed=3
        )
        spaces.append((games.observation_space, games.action_space, games.num_envs))
        assert isinstance(games, GameVector) is (emulator == "nes-py")
        games.close()
    assert spaces[0] == spaces[1]
