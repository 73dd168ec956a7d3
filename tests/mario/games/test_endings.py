"""How episodes end, and the rewards for it."""

from __future__ import annotations

import gymnasium as gym
import pytest

from mario.config.env_config import EndingRewardConfig
from mario.games.endings import FAILURES, SUCCESSES, Ending, EndingReward, ending_rewards
from wrappers.life import ended_by_life_loss


class OneStepGame(gym.Env):
    """Ends after one step with a reward of 3."""

    observation_space = action_space = gym.spaces.Discrete(1)

    def __init__(self, ending: str) -> None:
        self.ending = ending

    def step(self, action):
        return 0, 3, bool(self.ending), False, {"ending": self.ending}


@pytest.mark.parametrize("ending", ["", *Ending, "an ending of your own"])
def test_only_successes_and_failures_are_rewarded(ending: str) -> None:
    env = EndingReward(OneStepGame(ending), EndingRewardConfig(success=5, failure=-2))
    extra = 5 if ending in SUCCESSES else -2 if ending in FAILURES else 0
    assert env.step(0)[1] == 3 + extra


def test_endings_without_a_reward_are_left_out() -> None:
    assert ending_rewards(EndingRewardConfig()) == {}
    assert ending_rewards(EndingRewardConfig(failure=-1)) == {
        "death": -1,
        "time": -1,
        "game over": -1,
    }


def test_no_ending_is_both_a_success_and_a_failure() -> None:
    assert not SUCCESSES & FAILURES


def test_a_lost_life_has_the_same_name_as_in_the_wrappers() -> None:
    assert [ending for ending in Ending if ended_by_life_loss({"ending": ending})] == ["life"]
