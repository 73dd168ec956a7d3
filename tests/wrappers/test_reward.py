"""Scaled and clipped rewards."""

from __future__ import annotations

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrappers import ClipReward, ScaleReward

finite = st.floats(-1e6, 1e6)
positive = st.floats(1e-3, 1e3)


class ConstantReward(gym.Env):
    """The same reward in each step."""

    observation_space = action_space = gym.spaces.Discrete(1)

    def __init__(self, reward: float) -> None:
        self.reward = reward

    def step(self, action):
        return 0, self.reward, False, False, {}


@given(finite, positive)
def test_a_reward_is_multiplied_by_the_scale(reward: float, scale: float) -> None:
    assert ScaleReward(ConstantReward(reward), scale).step(0)[1] == reward * scale


@given(finite, positive)
def test_only_rewards_beyond_the_bound_are_clipped(reward: float, bound: float) -> None:
    clipped = ClipReward(ConstantReward(reward), bound).step(0)[1]
    assert clipped == reward if abs(reward) <= bound else abs(clipped) == bound
    assert clipped * reward >= 0


def test_a_scale_or_a_bound_of_0_is_refused() -> None:
    with pytest.raises(ValueError, match="scale must not be 0, got 0"):
        ScaleReward(ConstantReward(1), 0)
    with pytest.raises(ValueError, match="bound must be above 0, got -1"):
        ClipReward(ConstantReward(1), -1)
