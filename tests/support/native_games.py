"""Compiled games beside the same games in Python, for differential tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mario.config.env_config import EnvConfig
from mario.emulators.native import NativeEmulator
from mario.games.roms import mario_rom
from mario.games.super_mario_bros import SuperMarioBros
from mario.vector.base import final_info
from mario.vector.env import wrap_game
from mario.vector.replay_point import ReplayPoint
from mario.vector.worker import EnvRunner
from wrappers import WrapperConfig

CONFIG = EnvConfig("SuperMarioBros-1-1-v0")
SEED = 5
RIGHT_A_B = 4
FINAL_KEYS = ("final_obs", "final_info")


def make_runner(
    env_index, config=CONFIG, *, level="1-1", lost_levels=False, inner=lambda game: game, **options
):
    """An environment of a `ProcessVectorEnv`, without its process."""
    emulator = NativeEmulator(mario_rom(lost_levels=lost_levels))
    game = SuperMarioBros(
        emulator=emulator,
        level=level,
        lost_levels=lost_levels,
        actions=config.actions,
        **options,
    )
    return EnvRunner(wrap_game(inner(game), config), SEED, env_index)


def config_with(wrappers=None, **changes):
    return replace(CONFIG, wrappers=wrappers or WrapperConfig(), **changes)


def info_of(infos, env_index):
    """The current info of one environment of a vector."""
    current = {key: value for key, value in infos.items() if key not in FINAL_KEYS}
    return final_info({"final_info": current}, env_index)


def assert_same_image(actual, expected):
    assert actual.shape == expected.shape
    assert np.abs(actual.astype(int) - expected).max() <= 1


def assert_same_play(envs, runners, actions):
    """Step both and compare everything; return how episodes ended."""
    endings = []
    observations, infos = envs.reset()
    for index, runner in enumerate(runners):
        observation, info = runner.replay(SEED, ReplayPoint.at_reset(0))
        assert_same_image(observations[index], observation)
        assert info_of(infos, index) == info
    for step, step_actions in enumerate(actions):
        observations, rewards, terminated, truncated, infos = envs.step(step_actions)
        for index, runner in enumerate(runners):
            expected = runner.step(int(step_actions[index]))
            assert (rewards[index], terminated[index], truncated[index]) == expected[1:4], step
            assert info_of(infos, index) == expected.info, step
            assert_same_image(observations[index], expected.observation)
            if expected.final:
                endings.append(assert_same_end(infos, index, *expected.final))
    return endings


def assert_same_end(infos, env_index, observation, info):
    del info["episode"]["t"]  # wall-clock time
    assert final_info(infos, env_index) == info
    assert_same_image(infos["final_obs"][env_index], observation)
    return info["ending"]


def random_actions(seed, num_envs, steps):
    """Mostly to the right; each action is held for some steps."""
    rng = np.random.default_rng(seed)
    actions = np.full(num_envs, RIGHT_A_B)
    for _ in range(steps):
        drawn = rng.choice(7, num_envs, p=[0.05, 0.1, 0.15, 0.25, 0.35, 0.05, 0.05])
        actions = np.where(rng.random(num_envs) < 0.3, drawn, actions)
        yield actions
