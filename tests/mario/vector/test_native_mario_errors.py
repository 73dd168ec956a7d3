"""What the compiled games report about themselves, and what they refuse."""

from __future__ import annotations

import time

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from mario.config.env_config import EnvConfig
from mario.errors import UsageError
from mario.games.actions import action_masks
from mario.vector.replay_point import ActionLog, ReplayPoint
from wrappers import WrapperConfig
from wrappers.observation import GRAYSCALE_CONVERSIONS

pytest.importorskip("mario.games._native", reason="the native extension is not built")
from mario.vector.native_mario import NativeMarioVectorEnv

RIGHT_A_B = 4


@pytest.fixture
def vector():
    made = []

    def make(num_envs=1, *, actions=None, wrappers=None, **overrides):
        config = EnvConfig("SuperMarioBros-1-1-v0", actions, wrappers=wrappers or WrapperConfig())
        made.append(NativeMarioVectorEnv(config, num_envs, **overrides))
        return made[-1]

    yield make
    for envs in made:
        envs.close()


def test_spaces_and_metadata_describe_the_environments(vector):
    envs = vector(3, actions="tutorial", wrappers=WrapperConfig(size=40, stack=2))
    observations, _ = envs.reset()
    assert envs.observation_space.contains(observations)
    assert envs.single_observation_space.shape == (2, 40, 40)
    assert envs.single_action_space.n == len(action_masks("tutorial"))
    assert envs.metadata["emulator"] == "native"


@pytest.mark.parametrize("action", [-1, 7])
def test_an_action_outside_of_the_action_space_is_refused(vector, action):
    envs = vector(2)
    envs.reset()
    with pytest.raises(ValueError, match=f"action must be in 0 to 6, got {action}"):
        envs.step(np.array([0, action]))
    assert envs.step(np.array([0, 1]))[0].shape == (2, 4, 84, 84)


@pytest.mark.parametrize(("crop_top", "largest"), [(0, 240), (32, 208)])
def test_observations_cannot_be_larger_than_the_cropped_screen(vector, crop_top, largest):
    vector(wrappers=WrapperConfig(size=largest, crop_top=crop_top))
    with pytest.raises(UsageError, match=f"size must be in 1 to {largest}, got {largest + 1}"):
        vector(wrappers=WrapperConfig(size=largest + 1, crop_top=crop_top))


def test_a_palette_of_another_size_is_refused(vector, monkeypatch):
    monkeypatch.setitem(GRAYSCALE_CONVERSIONS, "gray", lambda palette: palette[:, 1:, 0])
    with pytest.raises(UsageError, match="gray_palette must have 64 bytes, got 63"):
        vector()


def test_a_step_before_the_first_reset_is_refused(vector):
    with pytest.raises(ResetNeeded, match="call reset first"):
        vector().step(np.zeros(1, int))


def test_replay_points_that_do_not_fit_are_refused(vector):
    envs = vector(2)
    with pytest.raises(ValueError, match="expected the points of 2 environments, got 1"):
        envs.restore([ReplayPoint.at_reset(0)])
    with pytest.raises(ValueError, match="action must be in 0 to 6, got 9"):
        envs.restore([ReplayPoint(0, ActionLog(0, [9]))] * 2)
    with pytest.raises(ValueError, match="start_offset must be in -1 to 1, got 2"):
        envs.restore([ReplayPoint(0, ActionLog(0, [1]), start_offset=2)] * 2)


def test_actions_for_another_number_of_environments_are_refused(vector):
    envs = vector(2)
    envs.reset()
    with pytest.raises(ValueError, match="actions must have 2 elements, got 3"):
        envs.step(np.zeros(3, int))


def test_reset_options_are_refused(vector):
    with pytest.raises(UsageError, match="has no reset options"):
        vector().reset(options={"level": 3})


def test_a_rom_of_another_game_is_refused(vector, tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        vector(rom=tmp_path / "none.nes")
    rom = tmp_path / "blank.nes"
    rom.write_bytes(b"NES\x1a" + bytes([1, 1]) + bytes(10 + 24 * 1024))
    with pytest.raises(UsageError, match="does not start like Super Mario Bros"):
        vector(rom=rom)


def test_close_does_not_wait_for_a_step(vector):
    envs = vector(8)
    envs.reset()
    envs.step_async(np.full(8, RIGHT_A_B))
    start = time.monotonic()
    envs.close()
    envs.close()
    assert time.monotonic() - start < 2
    with pytest.raises(ValueError, match="the vector environment is closed"):
        envs.step(np.zeros(8, int))
