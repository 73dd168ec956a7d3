"""The configuration of an environment."""

from __future__ import annotations

import dataclasses
import math

import pytest

from mario.config.env_config import EndingRewardConfig, EnvConfig, StartCurriculumConfig
from mario.errors import UsageError
from wrappers import WrapperConfig


@pytest.mark.parametrize("name", ["probability", "farthest_probability"])
@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan])
def test_a_start_curriculum_needs_probabilities(name, value):
    message = f"start_curriculum.{name} must be between 0 and 1, got {value}"
    with pytest.raises(UsageError, match=message):
        StartCurriculumConfig(**{name: value})


@pytest.mark.parametrize("name", ["success", "failure"])
@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_ending_rewards_must_be_finite(name, value):
    with pytest.raises(UsageError, match=f"ending_reward.{name} must be finite, got {value}"):
        EndingRewardConfig(**{name: value})


def test_an_evaluation_plays_whole_games_and_observes_the_same():
    wrappers = WrapperConfig(skip=2, reward_scale=0.1, fire_reset=True)
    training = EnvConfig(
        "Tetris-v0",
        emulator="nes-py",
        wrappers=dataclasses.replace(
            wrappers, noop_max=3, repeat_action_probability=0.25, terminal_on_life_loss=True
        ),
        start_curriculum=StartCurriculumConfig(0.5, 0.5),
        ending_reward=EndingRewardConfig(1.0, -1.0),
    )
    assert training.for_evaluation(30) == EnvConfig(
        "Tetris-v0",
        emulator="nes-py",
        wrappers=dataclasses.replace(wrappers, noop_max=30),
        ending_reward=EndingRewardConfig(1.0, -1.0),
    )
