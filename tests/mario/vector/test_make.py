"""Making environments from a configuration, and which class runs them."""

from __future__ import annotations

import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

from mario.config.env_config import EnvConfig, StartCurriculumConfig
from mario.errors import UsageError
from mario.games.registry import ALE, MARIO
from mario.games.roms import mario_rom
from mario.playback.watch import FrameObserver, StopPlayback
from mario.vector import make
from mario.vector.make import (
    make_env,
    make_vector_env,
    preferred_num_envs,
    slow_reason,
    vector_env_class,
)
from mario.vector.process_vector import ProcessVectorEnv
from wrappers import WrapperConfig

GAME = "SuperMarioBros-1-1-v0"
PONG = "ALE/Pong-v5"


def test_wrappers_that_do_not_fit_the_game_are_reported_in_one_line():
    config = EnvConfig(GAME, wrappers=WrapperConfig(crop_top=240))
    with pytest.raises(UsageError, match=f"the wrappers do not fit {GAME}: .*240"):
        make_env(config)


def test_an_environment_has_the_configured_actions_and_wrappers():
    config = EnvConfig(GAME, [["right"], ["A"], []], "nes-py", WrapperConfig(size=42, stack=2))
    env = make_env(config)
    assert env.action_space == gym.spaces.Discrete(3)
    assert env.observation_space.shape == (2, 42, 42)
    env.close()


SHORT_GAMES = {
    "Mario": (MARIO, {"level": "1-1"}),
    "Pong": (ALE, {"game": "pong", "repeat_action_probability": 0.0, "frameskip": 1}),
}


@pytest.mark.parametrize("name", SHORT_GAMES)
def test_the_time_limit_of_an_id_truncates_after_as_many_frames(register, name):
    entry_point, options = SHORT_GAMES[name]
    register("Short-v0", entry_point, kwargs=options, max_episode_steps=120)
    config = EnvConfig("Short-v0")
    assert vector_env_class(config) is ProcessVectorEnv, "others do not know the limit"
    assert slow_reason(config) == "Short-v0 was registered with a time limit or wrappers"
    env = make_env(config)
    env.reset(seed=0)
    ends = [(truncated, info["ending"]) for *_, truncated, info in map(env.step, [0] * 30)]
    assert ends == [(False, "")] * 29 + [(True, "truncated")]
    env.close()


def test_the_rom_of_an_id_may_be_named_by_a_string(register):
    register("OwnRom-v0", MARIO, kwargs={"level": "1-1", "rom": str(mario_rom())})
    config = EnvConfig("OwnRom-v0")
    assert vector_env_class(config) is not ProcessVectorEnv
    envs, env = make_vector_env(config, num_envs=1, seed=0), make_env(config)
    assert envs.reset()[0].shape == (1, *env.reset()[0].shape)
    assert len(env.get_wrapper_attr("rom_sha256")) == 64
    envs.close()
    env.close()


def test_a_frame_observer_receives_every_frame_and_can_stop_the_episode():
    frames = []

    def sink(frame):
        frames.append(frame)
        return len(frames) < 7

    env = make_env(EnvConfig(GAME, "tutorial"), lambda game: FrameObserver(game, [sink]))
    env.reset()
    env.step(0)
    assert len(frames) == 5
    assert all(frame.shape == (240, 256, 3) and frame.dtype == np.uint8 for frame in frames)
    assert not np.shares_memory(frames[0], frames[1])
    with pytest.raises(StopPlayback):
        env.step(0)
    assert len(frames) == 7
    env.close()


def class_name(*args, **kwargs):
    return vector_env_class(EnvConfig(*args, **kwargs)).__name__


@pytest.fixture
def not_built(monkeypatch):
    """Hide the compiled extension."""
    monkeypatch.setattr(make, "find_spec", lambda name: None)


@pytest.mark.parametrize("game", [GAME, "SuperMarioBros-v0", "SuperMarioBros2-v0"])
@pytest.mark.parametrize("emulator", ["auto", "native"])
class TestMario:
    def test_runs_in_compiled_code(self, game, emulator):
        pytest.importorskip("mario.games._native", reason="the native extension is not built")
        assert class_name(game, emulator=emulator) == "NativeMarioVectorEnv"

    def test_runs_in_processes_if_the_extension_is_not_built(self, game, emulator, not_built):
        assert class_name(game, emulator=emulator) == "ProcessVectorEnv"


@pytest.mark.parametrize("game", ["Tetris-v0", "SuperMarioBrosRandomStages-v0"])
def test_other_games_run_in_processes(game):
    assert class_name(game) == "ProcessVectorEnv"


@pytest.mark.parametrize(
    ("options", "is_native"),
    [
        ({"emulator": "nes-py"}, False),
        ({"wrappers": WrapperConfig(size=241)}, False),
        ({"wrappers": WrapperConfig(size=208, crop_top=32)}, True),
        ({"wrappers": WrapperConfig(size=209, crop_top=32)}, False),
        ({"wrappers": WrapperConfig(terminal_on_life_loss=True)}, False),
        ({"wrappers": WrapperConfig(fire_reset=True)}, False),
        ({"wrappers": WrapperConfig(max_pool=True)}, False),
        ({"wrappers": WrapperConfig(observation="pong")}, False),
        ({"start_curriculum": StartCurriculumConfig(0.5, 0.5)}, True),
    ],
)
def test_compiled_code_is_used_only_if_it_supports_the_configuration(options, is_native):
    pytest.importorskip("mario.games._native", reason="the native extension is not built")
    assert (class_name(GAME, **options) == "NativeMarioVectorEnv") is is_native


def test_native_and_process_vectors_have_the_same_spaces():
    pytest.importorskip("mario.games._native", reason="the native extension is not built")
    spaces = []
    for emulator in ("native", "nes-py"):
        config = EnvConfig(GAME, '[["right"]]', emulator, WrapperConfig(size=20))
        envs = make_vector_env(config, num_envs=2, seed=3)
        spaces.append((envs.observation_space, envs.action_space, envs.num_envs))
        assert isinstance(envs, ProcessVectorEnv) is (emulator == "nes-py")
        envs.close()
    assert spaces[0] == spaces[1]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (EnvConfig(GAME, emulator="nes-py"), "--emulator is nes-py"),
        (EnvConfig(GAME, wrappers=WrapperConfig(size=241)), "--wrappers.size 241 is larger than"),
        (EnvConfig(GAME, wrappers=WrapperConfig(max_pool=True)), "--wrappers.max-pool is set"),
        (EnvConfig(PONG, wrappers=WrapperConfig(crop_top=8)), "--wrappers.crop-top is set"),
        (EnvConfig("Tetris-v0"), "Tetris-v0 has no compiled environment"),
        (EnvConfig(f"ale_py:{PONG}"), "has no compiled environment"),
    ],
)
def test_the_reason_for_slow_environments_names_the_setting(config, reason):
    assert reason in slow_reason(config)


def test_fast_environments_need_no_reason_and_a_missing_extension_is_one(not_built):
    assert slow_reason(EnvConfig(PONG)) is None
    assert slow_reason(EnvConfig(GAME)) == "the compiled extensions are not built"


@pytest.mark.parametrize(
    ("options", "uses_threads"),
    [
        ({"wrappers": WrapperConfig(terminal_on_life_loss=True)}, True),
        ({"emulator": "nes-py"}, False),
        ({"wrappers": WrapperConfig(show_action=True)}, False),
        ({"wrappers": WrapperConfig(crop_top=32)}, False),
        ({"wrappers": WrapperConfig(observation="orange")}, False),
        ({"wrappers": WrapperConfig(repeat_action_probability=0.25)}, False),
        ({"start_curriculum": StartCurriculumConfig(0.5)}, False),
    ],
)
def test_ales_threads_are_used_only_if_they_support_the_configuration(options, uses_threads):
    expected = "AtariVectorEnv" if uses_threads else "ProcessVectorEnv"
    assert class_name(PONG, **options) == expected


def test_atari_vectors_have_the_same_spaces_in_threads_and_in_processes():
    from mario.vector.atari import AtariVectorEnv

    spaces = []
    for game in (PONG, f"ale_py:{PONG}"):  # the second one runs in processes
        config = EnvConfig(game, '[["right"], ["left"]]', wrappers=WrapperConfig(size=20))
        envs = make_vector_env(config, num_envs=1, seed=3)
        spaces.append((envs.observation_space, envs.action_space, envs.metadata["emulator"]))
        assert isinstance(envs, AtariVectorEnv) is (game == PONG)
        envs.close()
    assert spaces[0] == spaces[1]


def test_more_environments_are_preferred_where_they_are_cheap():
    pytest.importorskip("mario.games._native", reason="the native extension is not built")
    preferred = [preferred_num_envs(EnvConfig(game)) for game in (GAME, PONG, "Tetris-v0")]
    assert preferred == [32, 8, 2]


def test_a_script_without_a_main_condition_is_told_what_to_do(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from mario import make_vector_env\n"
        "from mario.config.env_config import EnvConfig\n"
        "make_vector_env(EnvConfig('Tetris-v0'), num_envs=1, seed=0)\n"
    )
    process = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert process.returncode == 1
    last_error = [line for line in process.stderr.splitlines() if "RunError" in line][-1]
    assert last_error.endswith(
        "exit code 1; a script must start processes under `if __name__ == '__main__':`"
    )


def test_more_environments_than_fit_into_memory_are_refused(monkeypatch):
    monkeypatch.setattr(make, "available_memory", lambda: 10**9)
    message = r"num_envs 1000 needs about \d+\.\d GB of memory, 1.0 GB are available; use at most"
    with pytest.raises(UsageError, match=message):
        make_vector_env(EnvConfig("Tetris-v0"), num_envs=1000, seed=0)
    with pytest.raises(UsageError, match="num_envs 1000000000 needs about"):
        make_vector_env(EnvConfig("SuperMarioBros-1-1-v0"), num_envs=10**9, seed=0)


def test_more_environments_than_open_files_allow_are_refused(monkeypatch):
    monkeypatch.setattr(make, "allow_files", lambda number: 100)
    message = (
        "needs more open files than the limit of 100; raise it with 'ulimit -n', or use at most 9"
    )
    with pytest.raises(UsageError, match=message):
        make_vector_env(EnvConfig("Tetris-v0"), num_envs=24, seed=0)
