"""Tests of random starts."""

from __future__ import annotations

from collections import Counter

import gymnasium as gym
import pytest

from wrappers import NoopReset


class RecordingEnv(gym.Env):
    """Records the arguments of its resets."""

    observation_space = action_space = gym.spaces.Discrete(1)

    def __init__(self) -> None:
        self.resets = []

    def reset(self, *, seed=None, options=None):
        self.resets.append((seed, options))
        return 0, {}


def noops_of(env: NoopReset, episodes: int) -> list[int]:
    game = env.unwrapped
    game.resets.clear()
    for _ in range(episodes):
        env.reset()
    return [options["noops"] for _, options in game.resets]


def test_every_number_of_noops_is_about_equally_likely() -> None:
    env = NoopReset(RecordingEnv(), noop_max=4)
    env.reset(seed=0)
    counts = Counter(noops_of(env, 1000))
    assert set(counts) == {0, 1, 2, 3, 4}
    assert min(counts.values()) > 150


def test_the_same_seed_gives_the_same_numbers() -> None:
    env = NoopReset(RecordingEnv(), noop_max=30)
    runs = []
    for seed in (3, 3, 4):
        env.reset(seed=seed)
        runs.append(noops_of(env, 10))
    assert runs[0] == runs[1] != runs[2]


def test_seed_and_other_options_are_passed_to_the_env() -> None:
    game = RecordingEnv()
    NoopReset(game, noop_max=0).reset(seed=5, options={"stages": ["1-1"]})
    assert game.resets == [(5, {"stages": ["1-1"], "noops": 0})]


def test_a_negative_maximum_is_rejected() -> None:
    with pytest.raises(ValueError, match="noop_max must not be negative, got -2"):
        NoopReset(RecordingEnv(), noop_max=-2)
