"""The games by their names in Gymnasium's registry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest

import mario  # noqa: F401 - registers the games
from mario.errors import UsageError
from mario.games import make_game
from mario.games.roms import mario_looks
from mario.games.smb_levels import LEVELS

OWN_GAME = """
import gymnasium
gymnasium.register("OwnGame-v0", "gymnasium.envs.classic_control:CartPoleEnv")
"""


def test_every_level_is_there_in_every_look_installed() -> None:
    names = {f"SuperMarioBros-{level}-v{version}" for level in LEVELS for version in mario_looks()}
    assert len(names) == 32 * len(mario_looks())
    assert names <= set(gym.registry)


@pytest.mark.parametrize(
    "name", ["SuperMarioBros-v0", "SuperMarioBros2-v0", "SuperMarioBrosRandomStages-v0"]
)
def test_a_game_is_made_by_its_name(name: str) -> None:
    game = make_game(name, actions="tutorial")
    assert game.observation_space.shape == (240, 256, 3)
    assert (game.action_space.n, game.spec.id) == (2, name)
    game.close()


def test_a_level_is_the_one_of_its_name() -> None:
    game = make_game("SuperMarioBros-4-2-v0")
    _, info = game.reset()
    assert (info["world"], info["stage"]) == (4, 2)
    game.close()


def test_a_game_of_ones_own_is_found_in_the_current_folder(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "own_game_module.py").write_text(OWN_GAME)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert make_game("own_game_module:OwnGame-v0").spec.id == "OwnGame-v0"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SuperMarioBros-9-1-v0", "unknown game 'SuperMarioBros-9-1-v0'; did you mean 'SuperMario"),
        ("no_such_module:Game-v0", "No module named 'no_such_module'; is its folder on PYTHONPATH"),
        ("gymnasium:NoGame-v0", "unknown game 'gymnasium:NoGame-v0'"),
    ],
)
def test_a_game_that_is_none_is_named(name: str, message: str, monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(UsageError, match=message):
        make_game(name)


def test_what_a_game_cannot_be_made_with_is_named() -> None:
    with pytest.raises(UsageError, match=r"game 'CartPole-v1': .* keyword argument 'actions'"):
        make_game("CartPole-v1", actions="simple")


def test_importing_the_program_is_quiet_and_light() -> None:
    code = (
        "import sys, mario, wrappers;"
        "mario.games.make_game('SuperMarioBros-1-1-v0', emulator='nes-py').reset();"
        "print(*{'torch', 'gym', 'matplotlib', 'pyglet'} & set(sys.modules), end='')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
