"""What the compiled games tell of themselves, and what they refuse."""

from __future__ import annotations

import time

import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from mario.errors import UsageError
from mario.games.actions import action_masks
from wrappers import WrapperConfig
from wrappers.observation import GRAYSCALE_CONVERSIONS

pytest.importorskip("mario.games._native", reason="the native extension is not built")
from mario.vector.native_mario import NativeMarioVectorEnv

RIGHT_A_B = 4


@pytest.fixture
def vector():
    made = []

    def make(num_envs=1, **kwargs):
        made.append(NativeMarioVectorEnv(num_envs, level="1-1", **kwargs))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_spaces_tell_what_there_is(vector):
    games = vector(3, actions="tutorial", wrappers=WrapperConfig(size=40, stack=2))
    observations, _ = games.reset()
    assert games.observation_space.contains(observations)
    assert games.single_observation_space.shape == (2, 40, 40)
    assert games.single_action_space.n == len(action_masks("tutorial"))
    assert games.metadata["emulator"] == "native"


@pytest.mark.parametrize("action", [-1, 7])
def test_an_action_that_is_none_is_named(vector, action):
    games = vector(2)
    games.reset()
    with pytest.raises(ValueError, match=f"action must be in 0 to 6, got {action}"):
        games.step(np.array([0, action]))
    assert games.step(np.array([0, 1]))[0].shape == (2, 4, 84, 84)


@pytest.mark.parametrize(("crop", "most"), [(0, 240), (32, 208)])
def test_a_picture_is_no_larger_than_what_is_seen_of_the_screen(vector, crop, most):
    vector(wrappers=WrapperConfig(size=most, crop_top=crop))
    with pytest.raises(UsageError, match=f"size must be in 1 to {most}, got {most + 1}"):
        vector(wrappers=WrapperConfig(size=most + 1, crop_top=crop))


def test_a_palette_of_another_size_is_refused(vector, monkeypatch):
    monkeypatch.setitem(GRAYSCALE_CONVERSIONS, "gray", lambda palette: palette[:, 1:, 0])
    with pytest.raises(UsageError, match="grays must be a byte for each color of the palette"):
        vector()


def test_games_that_have_not_begun_cannot_be_played(vector):
    with pytest.raises(ResetNeeded, match="call reset first"):
        vector().step(np.zeros(1, int))


def test_a_journal_of_other_games_is_refused(vector):
    games = vector(2)
    with pytest.raises(ValueError, match="there are 2 games, got the actions of 1"):
        games.restore([{"episode": 0, "actions": []}])
    with pytest.raises(ValueError, match="action must be in 0 to 6, got 9"):
        games.restore([{"episode": 0, "actions": [9]}] * 2)
    with pytest.raises(ValueError, match="of 1 actions, 0 to all are revisited, got 2"):
        games.restore([{"episode": 0, "actions": [1], "revisited": 2}] * 2)


def test_actions_for_another_number_of_games_are_refused(vector):
    games = vector(2)
    games.reset()
    with pytest.raises(ValueError, match="actions must have 2 elements, got 3"):
        games.step(np.zeros(3, int))


def test_reset_options_are_refused(vector):
    with pytest.raises(UsageError, match="takes no reset options"):
        vector().reset(options={"level": 3})


def test_a_file_that_is_no_game_of_mario_is_refused(vector, tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        vector(rom=tmp_path / "none.nes")
    rom = tmp_path / "blank.nes"
    rom.write_bytes(b"NES\x1a" + bytes([1, 1]) + bytes(10 + 24 * 1024))
    with pytest.raises(UsageError, match="does not start like Super Mario Bros"):
        vector(rom=rom)


def test_closing_does_not_wait_for_a_step(vector):
    games = vector(8)
    games.reset()
    games.step_async(np.full(8, RIGHT_A_B))
    start = time.monotonic()
    games.close()
    games.close()
    assert time.monotonic() - start < 2
    with pytest.raises(ValueError, match="the games are closed"):
        games.step(np.zeros(8, int))
