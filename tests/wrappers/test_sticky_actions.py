"""Slow fingers: which action is taken at each frame, and that it can be told beforehand."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from wrappers import StickyActions
from wrappers.sticky_actions import chance


class Tape(gym.Env):
    """Writes down what is done in it."""

    observation_space = gym.spaces.Discrete(1)
    action_space = gym.spaces.Discrete(9)

    def reset(self, *, seed=None, options=None):
        self.taken, self.asked = [], (seed, options)
        return 0, {}

    def step(self, action):
        self.taken.append(action)
        return 0, 0.0, False, False, {}


def play(env: StickyActions, actions, **reset) -> list[int]:
    env.reset(**reset)
    for action in actions:
        env.step(action)
    return env.unwrapped.taken


ASKED = np.random.default_rng(0).integers(9, size=4000).tolist()


@pytest.mark.parametrize("probability", [0.0, 0.25, 0.9])
def test_each_frame_has_its_own_action_or_that_of_the_frame_before(probability) -> None:
    taken = play(StickyActions(Tape(), probability), ASKED, seed=1)
    assert taken[0] == ASKED[0]
    held = 0
    for frame in range(1, len(ASKED)):
        assert taken[frame] in (ASKED[frame], taken[frame - 1])
        held += taken[frame] != ASKED[frame]
    by_chance = probability * 8 / 9  # what was held may be what is asked for
    assert held / len(ASKED) == pytest.approx(by_chance, abs=0.03)


def test_the_same_seed_is_the_same_play_and_another_is_another() -> None:
    env = StickyActions(Tape(), 0.25)
    one, again, other = (play(env, ASKED, seed=seed) for seed in (3, 3, 4))
    assert one == again != other


def test_without_a_seed_no_two_plays_are_alike() -> None:
    env = StickyActions(Tape(), 0.25)
    assert play(env, ASKED) != play(env, ASKED)


def test_nothing_is_held_over_from_the_episode_before() -> None:
    env = StickyActions(Tape(), 0.99)
    play(env, [1], seed=0)
    assert play(env, [2], seed=0) == [2]


def test_seed_and_options_reach_the_game() -> None:
    env = StickyActions(Tape(), 0.25)
    env.reset(seed=5, options={"noops": 3})
    assert env.unwrapped.asked == (5, {"noops": 3})


def test_chances_are_the_numbers_of_splitmix64() -> None:
    """Reference: the first outputs of the authors' own code from the seed 1234567."""
    outputs = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [chance(1234567, number) for number in range(3)] == [
        (output >> 11) / 2**53 for output in outputs
    ]


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(probability) -> None:
    with pytest.raises(ValueError, match="must lie between 0 and 1, got"):
        StickyActions(Tape(), probability)
