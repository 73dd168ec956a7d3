"""Rewards for the agent."""

from __future__ import annotations

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrappers import ClipReward, ScaleReward

finite = st.floats(-1e6, 1e6)
positive = st.floats(1e-3, 1e3)


class PayingGame(gym.Env):
    """Pays the same for each step."""

    observation_space = action_space = gym.spaces.Discrete(1)

    def __init__(self, pay: float) -> None:
        self.pay = pay

    def step(self, action):
        return 0, self.pay, False, False, {}


@given(finite, positive)
def test_a_scaled_reward_is_a_multiple(pay: float, scale: float) -> None:
    assert ScaleReward(PayingGame(pay), scale).step(0)[1] == pay * scale


@given(finite, positive)
def test_a_clipped_reward_is_within_its_bound_and_else_unchanged(pay: float, bound: float) -> None:
    clipped = ClipReward(PayingGame(pay), bound).step(0)[1]
    assert clipped == pay if abs(pay) <= bound else abs(clipped) == bound
    assert clipped * pay >= 0


def test_a_scale_of_0_and_a_bound_of_0_are_refused() -> None:
    with pytest.raises(ValueError, match="scale must not be 0, got 0"):
        ScaleReward(PayingGame(1), 0)
    with pytest.raises(ValueError, match="bound must be above 0, got -1"):
        ClipReward(PayingGame(1), -1)
