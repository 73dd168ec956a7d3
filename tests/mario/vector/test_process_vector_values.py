"""Values that a game of the user returns are checked before an agent learns from them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from doubles import FakeGame

from mario.errors import RunError
from mario.vector.process_vector import ProcessVectorEnv


class RewardGame(FakeGame):
    def step(self, action):
        observation, _, *others = super().step(action)
        return observation, [1.0, math.nan, 1e39][action], *others


@pytest.mark.parametrize(("action", "reward"), [(1, "nan"), (2, r"1e\+39")])
def test_a_reward_that_is_not_finite_stops_the_run(action, reward):
    envs = ProcessVectorEnv(RewardGame, 2)
    envs.reset()
    envs.step(np.array([0, 0]))
    with pytest.raises(RunError, match=f"game 1 returned the reward {reward}; it must be finite"):
        envs.step(np.array([0, action]))
    envs.close()
