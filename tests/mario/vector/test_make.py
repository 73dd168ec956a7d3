"""Games and agents are made as the configuration says, and mistakes are named."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents import DDQN, DDQNConfig
from mario.errors import UsageError
from mario.playback.watch import FrameObserver, StopPlayback, watch_episode
from mario.vector import make as build
from mario.vector.make import (
    make_agent,
    make_env,
    make_vector_env,
    parse_actions,
    resolve_device,
    supports_ale_threads,
    supports_native_mario,
)
from mario.vector.process_vector import ProcessVectorEnv
from wrappers import WrapperConfig

GAME = "SuperMarioBros-1-1-v0"


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        (None, None),
        ("simple", "simple"),
        ('[["right"], ["right", "A"]]', [["right"], ["right", "A"]]),
        (" [[], [A]]", [[], ["A"]]),
    ],
)
def test_actions_are_a_name_or_lists(text, actions):
    assert parse_actions(text) == actions


def test_actions_that_cannot_be_read_are_told_how_to_be_written():
    with pytest.raises(UsageError, match=r"--actions \[\[right cannot be read; write it like"):
        parse_actions("[[right")


def test_wrappers_that_do_not_fit_the_game_are_told_of_in_one_line():
    with pytest.raises(UsageError, match="crop must be in 0 to 239 for this game, got 240"):
        make_env(GAME, "simple", "auto", WrapperConfig(crop_top=240))


def test_a_game_is_made_with_its_actions_and_wrappers():
    env = make_env(GAME, [["right"], ["A"], []], "nes-py", WrapperConfig(size=42, stack=2))
    assert env.action_space == gym.spaces.Discrete(3)
    assert env.observation_space.shape == (2, 42, 42)
    env.close()


def test_a_tap_sees_every_frame_and_can_end_the_show():
    frames = []

    def sink(frame):
        frames.append(frame)
        return len(frames) < 7

    env = make_env(
        GAME, "tutorial", "auto", WrapperConfig(), lambda env: FrameObserver(env, [sink])
    )
    env.reset()
    env.step(0)
    assert len(frames) == 5
    assert all(frame.shape == (240, 256, 3) and frame.dtype == np.uint8 for frame in frames)
    assert not np.shares_memory(frames[0], frames[1])
    with pytest.raises(StopPlayback):
        env.step(0)
    assert len(frames) == 7
    env.close()


def test_a_watched_episode_is_the_same_again_with_the_same_seed():
    env = make_env(GAME, "simple", "auto", WrapperConfig(noop_max=30))
    agent = make_agent("ddqn", DDQNConfig(), env, training=False)
    played = [watch_episode(agent, env, seed=seed, epsilon=1.0) for seed in (4, 4, 5)]
    assert played[0] == played[1]
    assert played[0] != played[2]
    assert played[0].ending
    env.close()


def test_an_agent_fits_its_game():
    env = make_env(GAME, "complex", "auto", WrapperConfig(size=48, stack=3))
    agent = make_agent("ddqn", DDQNConfig(), env, training=False)
    assert isinstance(agent, DDQN)
    assert agent.spec.state_shape == (3, 48, 48)
    assert agent.spec.num_actions == 12
    env.close()


def test_a_game_without_numbered_actions_is_refused():
    env = gym.make("Pendulum-v1")
    with pytest.raises(UsageError, match="an agent chooses among numbered actions; the game has"):
        make_agent("ddqn", DDQNConfig(), env)
    env.close()


def test_a_picture_too_small_for_the_network_is_a_mistake_of_the_users():
    env = make_env(GAME, "simple", "auto", WrapperConfig(size=20))
    with pytest.raises(UsageError, match="state_shape is"):
        make_agent("ddqn", DDQNConfig(), env, training=False)
    env.close()


def test_devices_are_found_or_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == "cpu"
    with pytest.raises(UsageError, match="--device cuda: torch finds no GPU; use --device cpu"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == "cuda"


@pytest.fixture
def built(monkeypatch):
    """Says whether the compiled code is there."""

    def say(there):
        monkeypatch.setattr(build, "find_spec", lambda name: object() if there else None)

    say(True)
    return say


@pytest.mark.parametrize("game", [GAME, "SuperMarioBros-v0", "SuperMarioBros2-v0"])
@pytest.mark.parametrize("emulator", ["auto", "native"])
def test_mario_is_played_by_compiled_code(built, game, emulator):
    assert supports_native_mario(game, emulator, WrapperConfig())
    built(False)
    assert not supports_native_mario(game, emulator, WrapperConfig())


@pytest.mark.parametrize("game", ["Tetris-v0", "SuperMarioBrosRandomStages-v0", "mine:Mine-v0"])
def test_other_games_are_played_in_python(built, game):
    assert not supports_native_mario(game, "auto", WrapperConfig())


def test_what_only_python_can_do_is_done_there(built):
    assert not supports_native_mario(GAME, "nes-py", WrapperConfig())
    assert not supports_native_mario(GAME, "auto", WrapperConfig(size=241))
    assert supports_native_mario(GAME, "auto", WrapperConfig(size=208, crop_top=32))
    assert not supports_native_mario(GAME, "auto", WrapperConfig(size=209, crop_top=32))
    assert not supports_native_mario(GAME, "auto", WrapperConfig(max_pool=True))
    assert not supports_native_mario(GAME, "auto", WrapperConfig(terminal_on_life_loss=True))


def test_both_ways_show_the_same_spaces():
    pytest.importorskip("mario.games._native", reason="the native extension is not built")
    spaces = []
    for emulator in ("native", "nes-py"):
        games = make_vector_env(
            GAME, '[["right"]]', emulator, WrapperConfig(size=20), num_envs=2, seed=3
        )
        spaces.append((games.observation_space, games.action_space, games.num_envs))
        assert isinstance(games, ProcessVectorEnv) is (emulator == "nes-py")
        games.close()
    assert spaces[0] == spaces[1]


def test_what_threads_cannot_do_in_an_atari_game_is_done_in_processes():
    pytest.importorskip("ale_py")
    assert supports_ale_threads("ALE/Pong-v5", "auto", WrapperConfig(terminal_on_life_loss=True))
    assert not supports_ale_threads("ALE/Pong-v5", "nes-py", WrapperConfig())
    assert not supports_ale_threads("ALE/Pong-v5", "auto", WrapperConfig(show_action=True))
    assert not supports_ale_threads("ALE/Pong-v5", "auto", WrapperConfig(crop_top=32))
    assert not supports_ale_threads("ALE/Pong-v5", "auto", WrapperConfig(observation="orange"))
    assert not supports_ale_threads("ALE/Pong-v5", "auto", WrapperConfig(revisit=0.5))
    assert not supports_ale_threads(
        "ALE/Pong-v5", "auto", WrapperConfig(repeat_action_probability=0.25)
    )


def test_atari_games_are_played_by_threads_of_ales():
    pytest.importorskip("ale_py")
    from mario.vector.atari import AtariVectorEnv

    spaces = []
    for game in ("ALE/Pong-v5", "ale_py:ALE/Pong-v5"):  # the second in processes
        games = make_vector_env(
            game, '[["right"], ["left"]]', "auto", WrapperConfig(size=20), num_envs=1, seed=3
        )
        spaces.append((games.observation_space, games.action_space, games.metadata["emulator"]))
        assert isinstance(games, AtariVectorEnv) is (game == "ALE/Pong-v5")
        games.close()
    assert spaces[0] == spaces[1]
