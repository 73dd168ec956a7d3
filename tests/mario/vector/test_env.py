"""A single environment: a game with its wrappers."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from mario.config.env_config import EndingRewardConfig, EnvConfig
from mario.vector.env import wrap_game
from wrappers import WrapperConfig


class TwentyFrames(gym.Env):
    """20 frames with a reward of 10 each."""

    observation_space = gym.spaces.Box(0, 255, (240, 256, 3), np.uint8)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, ending: str) -> None:
        self.ending = ending

    def reset(self, *, seed=None, options=None):
        self.frame = 0
        return self.observation_space.low, {}

    def step(self, action):
        self.frame += 1
        terminated = self.frame >= 20
        info = {"ending": self.ending if terminated else ""}
        return self.observation_space.low, 10.0, terminated, False, info


@pytest.mark.parametrize(
    ("ending", "extra"), [("flag", 5), ("death", -2), ("time", -2), ("truncated", 0), ("", 0)]
)
def test_an_ending_reward_is_added_after_clipping(ending, extra) -> None:
    env = wrap_game(
        TwentyFrames(ending),
        EnvConfig(
            "",
            wrappers=WrapperConfig(skip=10, reward_clip=3),
            ending_reward=EndingRewardConfig(success=5, failure=-2),
        ),
    )
    env.reset()
    steps = [env.step(0) for _ in range(2)]
    assert [reward for _, reward, *_ in steps] == [3, 3 + extra]
    assert steps[-1][-1]["episode"]["r"] == 200
