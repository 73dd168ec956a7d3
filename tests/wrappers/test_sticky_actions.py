"""Tests of sticky actions: which action is taken in each frame."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from wrappers import StickyActions
from wrappers.sticky_actions import counter_based_uniform


class ActionRecorder(gym.Env):
    """Records the actions it receives."""

    observation_space = gym.spaces.Discrete(1)
    action_space = gym.spaces.Discrete(9)

    def reset(self, *, seed=None, options=None):
        self.taken, self.reset_arguments = [], (seed, options)
        return 0, {}

    def step(self, action):
        self.taken.append(action)
        return 0, 0.0, False, False, {}


def play(env: StickyActions, actions, **reset) -> list[int]:
    env.reset(**reset)
    for action in actions:
        env.step(action)
    return env.unwrapped.taken


REQUESTED = np.random.default_rng(0).integers(9, size=4000).tolist()


@pytest.mark.parametrize("probability", [0.0, 0.25, 0.9])
def test_each_frame_takes_the_requested_or_the_previous_action(probability) -> None:
    taken = play(StickyActions(ActionRecorder(), probability), REQUESTED, seed=1)
    assert taken[0] == REQUESTED[0]
    repeated = 0
    for frame in range(1, len(REQUESTED)):
        assert taken[frame] in (REQUESTED[frame], taken[frame - 1])
        repeated += taken[frame] != REQUESTED[frame]
    expected = probability * 8 / 9  # a repeated action can equal the requested one
    assert repeated / len(REQUESTED) == pytest.approx(expected, abs=0.03)


def test_repeats_depend_on_the_seed_only() -> None:
    env = StickyActions(ActionRecorder(), 0.25)
    one, again, other = (play(env, REQUESTED, seed=seed) for seed in (3, 3, 4))
    assert one == again != other


def test_episodes_without_a_seed_differ() -> None:
    env = StickyActions(ActionRecorder(), 0.25)
    assert play(env, REQUESTED) != play(env, REQUESTED)


def test_no_action_is_carried_over_between_episodes() -> None:
    env = StickyActions(ActionRecorder(), 0.99)
    play(env, [1], seed=0)
    assert play(env, [2], seed=0) == [2]


def test_seed_and_options_are_passed_to_the_env() -> None:
    env = StickyActions(ActionRecorder(), 0.25)
    env.reset(seed=5, options={"noops": 3})
    assert env.unwrapped.reset_arguments == (5, {"noops": 3})


def test_random_numbers_are_those_of_splitmix64() -> None:
    """Compare with the first outputs of the authors' code for the seed 1234567."""
    outputs = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [counter_based_uniform(1234567, index) for index in range(3)] == [
        (output >> 11) / 2**53 for output in outputs
    ]


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_invalid_probabilities_are_rejected(probability) -> None:
    with pytest.raises(ValueError, match="must be between 0 and 1, got"):
        StickyActions(ActionRecorder(), probability)
