"""Tests of training from demonstrations, on the real game."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mario.config.env_config import EnvConfig
from mario.errors import UsageError
from mario.search.demonstration import load
from mario.training.demonstrations import (
    DemonstrationTransitions,
    load_demonstrations,
)
from wrappers import WrapperConfig

DEMO = Path(__file__).parents[3] / "checkpoints" / "demonstrations" / "1-1.demo"
ENV = EnvConfig("SuperMarioBros-1-1-v0")
RECORDED = load(DEMO)


@pytest.mark.parametrize("emulator", ["nes-py", "auto"])
def test_the_transitions_are_those_of_the_recorded_play(emulator):
    env_config = replace(ENV, emulator=emulator)
    demonstrations = load_demonstrations([DEMO], env_config)
    steps = list(DemonstrationTransitions(env_config, demonstrations))
    assert len(steps) == len(RECORDED.play)
    assert [bool(step.terminated[0]) for step in steps].index(True) == len(steps) - 1
    rewards = np.concatenate([step.rewards for step in steps])
    np.testing.assert_allclose(rewards, demonstrations[0].rewards)
    assert steps[0].next_states is steps[1].states


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"game": "SuperMarioBros-1-2-v0"}, "has game SuperMarioBros-1-1-v0, this run has"),
        ({"wrappers": WrapperConfig(skip=2)}, "has frame skip 4, this run has 2"),
        ({"actions": '[["NOOP"]]'}, "presses buttons that no action of this run presses"),
    ],
)
def test_a_demonstration_that_does_not_fit_the_run_is_refused(change, expected):
    with pytest.raises(UsageError, match=expected):
        load_demonstrations([DEMO], replace(ENV, **change))
