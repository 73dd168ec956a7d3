"""The games in Gymnasium's registry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest

import mario  # noqa: F401 - registers the games
from mario.errors import UsageError
from mario.games import make_game
from mario.games.registry import ALE, ATARI, MARIO, find_game
from mario.games.roms import mario_looks
from mario.games.smb_levels import LEVELS

OWN_GAME = """
import gymnasium
gymnasium.register("OwnGame-v0", "gymnasium.envs.classic_control:CartPoleEnv")
"""


def test_every_level_is_registered_in_every_installed_look() -> None:
    names = {f"SuperMarioBros-{level}-v{version}" for level in LEVELS for version in mario_looks()}
    assert len(names) == 32 * len(mario_looks())
    assert names <= set(gym.registry)


@pytest.mark.parametrize(
    "name", ["SuperMarioBros-v0", "SuperMarioBros2-v0", "SuperMarioBrosRandomStages-v0"]
)
def test_a_game_is_made_by_its_id(name: str) -> None:
    game = make_game(name, actions="tutorial")
    assert game.observation_space.shape == (240, 256, 3)
    assert (game.action_space.n, game.spec.id) == (2, name)
    game.close()


def test_the_id_of_a_level_names_its_world_and_stage() -> None:
    game = make_game("SuperMarioBros-4-2-v0")
    _, info = game.reset()
    assert (info["world"], info["stage"]) == (4, 2)
    game.close()


def test_a_module_with_a_game_is_found_in_the_current_folder(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "own_game_module.py").write_text(OWN_GAME)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert make_game("own_game_module:OwnGame-v0").spec.id == "OwnGame-v0"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SuperMarioBros-9-1-v0", "unknown game 'SuperMarioBros-9-1-v0'; did you mean 'SuperMario"),
        (
            "Kirby-v0",
            r"unknown game 'Kirby-v0'.* For a game of your own give module:Kirby-v0$",
        ),
        ("no_such_module:Game-v0", "No module named 'no_such_module'; is its folder on PYTHONPATH"),
        ("gymnasium:Nothing-v0", "unknown game 'gymnasium:Nothing-v0'; none of the [^?]*$"),
        ("PongDeterministic-v4", "did you mean 'Pong-v0' or 'Pong-v4' or 'ALE/Pong-v5'[?] For a"),
        (
            "Xyzzyx-v0",
            r"unknown game 'Xyzzyx-v0'; none of the [\d,]+ known names is similar[.] For",
        ),
    ],
)
def test_an_unknown_game_is_reported(name: str, message: str, monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(UsageError, match=message):
        make_game(name)


def test_the_time_limit_of_an_id_truncates_its_episodes(register) -> None:
    register("ShortMario-v0", MARIO, kwargs={"level": "1-1"}, max_episode_steps=3)
    game = make_game("ShortMario-v0")
    game.reset(seed=0)
    ends = [(truncated, info["ending"]) for *_, truncated, info in map(game.step, [0, 0, 0])]
    assert ends == [(False, ""), (False, ""), (True, "truncated")]
    game.close()


@pytest.mark.parametrize(("frameskip", "frames"), [(1, 6), (4, 24), ((2, 5), 24)])
def test_the_time_limit_of_an_atari_id_is_kept_in_frames(register, frameskip, frames) -> None:
    options = {"game": "pong", "repeat_action_probability": 0.0, "frameskip": frameskip}
    register("ShortPong-v0", ALE, kwargs=options, max_episode_steps=6)
    spec = find_game("ShortPong-v0")
    assert (spec.entry_point, spec.max_episode_steps) == (ATARI, frames)


def test_an_argument_that_the_game_does_not_accept_is_reported() -> None:
    with pytest.raises(
        UsageError, match=r"game 'CartPole-v1' does not accept actions; omit actions"
    ):
        make_game("CartPole-v1", actions="simple")


def test_gymnasium_makes_every_look_without_a_warning() -> None:
    code = (
        "import gymnasium, mario\n"
        "for name in ('SuperMarioBros-1-1-v0', 'SuperMarioBros-v0', 'Tetris-v0'):\n"
        "    env = gymnasium.make(name)\n"
        "    env.reset(seed=0), env.step(0), env.close()\n"
        "    assert env.spec.id == name"
    )
    done = subprocess.run([sys.executable, "-Walways", "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_making_a_game_prints_nothing_and_loads_no_heavy_packages() -> None:
    code = (
        "import sys, mario, wrappers;"
        "mario.games.make_game('SuperMarioBros-1-1-v0', emulator='nes-py').reset();"
        "print(*{'torch', 'gym', 'matplotlib', 'pyglet'} & set(sys.modules), end='')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
