"""T14: NaN and infinity never reach a checkpoint, and stop a run in one line."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from doubles import FakeGame
from short_runs import config

from mario.errors import RunError
from mario.runs.checkpoint import load
from mario.training.callbacks import Callback
from mario.training.session import Session
from mario.vector.process_vector import ProcessVectorEnv


class RewardGame(FakeGame):
    def step(self, action):
        observation, _, *others = super().step(action)
        return observation, [1.0, math.nan, 1e39][action], *others


@pytest.mark.parametrize(("action", "reward"), [(1, "nan"), (2, r"1e\+39")])
def test_t14_a_reward_that_is_not_finite_stops_the_run(action, reward):
    envs = ProcessVectorEnv(RewardGame, 2)
    envs.reset()
    envs.step(np.array([0, 0]))
    with pytest.raises(RunError, match=f"game 1 returned the reward {reward}; it must be finite"):
        envs.step(np.array([0, action]))
    envs.close()


class Spoiler(Callback):
    """Fills the weights with a value after 80 steps."""

    def __init__(self, value):
        self.value = value

    def on_step(self, step):
        if self.trainer.steps == 80:
            checkpoint = self.trainer.agent.policy_state_dict()
            with torch.no_grad():
                for weight in checkpoint.values():
                    weight.fill_(self.value)


@pytest.mark.parametrize("agent", ["ddqn", "ppo"])
@pytest.mark.parametrize("value", [math.nan, math.inf, 1e30])
def test_t14_weights_that_diverge_stop_the_run_and_leave_a_finite_save(tmp_path, agent, value):
    configuration = config(tmp_path, agent, steps=2_000, save_seconds=0.001)
    session = Session(configuration, None, stop=lambda: False, callbacks=[Spoiler(value)])
    with session, pytest.raises(RunError, match="finite") as error:
        session.train()
    assert "\n" not in str(error.value)
    saved = load(session.run.path / "last.chkpt")  # refuses weights that are not finite
    assert saved["steps"] >= 78
