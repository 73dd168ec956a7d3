"""Starting differently each time."""

from __future__ import annotations

from collections import Counter

import gymnasium as gym
import pytest

from wrappers import NoopReset


class OptionsGame(gym.Env):
    """Keeps a tape of what its reset was asked for."""

    observation_space = action_space = gym.spaces.Discrete(1)

    def __init__(self) -> None:
        self.tape = []

    def reset(self, *, seed=None, options=None):
        self.tape.append((seed, options))
        return 0, {}


def noops(env: NoopReset, episodes: int) -> list[int]:
    game = env.unwrapped
    game.tape.clear()
    for _ in range(episodes):
        env.reset()
    return [options["noops"] for _, options in game.tape]


def test_every_number_up_to_the_greatest_is_about_as_likely() -> None:
    env = NoopReset(OptionsGame(), max_noops=4)
    env.reset(seed=0)
    counts = Counter(noops(env, 1000))
    assert set(counts) == {0, 1, 2, 3, 4}
    assert min(counts.values()) > 150


def test_the_same_seed_starts_the_same_way() -> None:
    env = NoopReset(OptionsGame(), max_noops=30)
    runs = []
    for seed in (3, 3, 4):
        env.reset(seed=seed)
        runs.append(noops(env, 10))
    assert runs[0] == runs[1] != runs[2]


def test_the_seed_and_other_options_reach_the_game() -> None:
    game = OptionsGame()
    NoopReset(game, max_noops=0).reset(seed=5, options={"stages": ["1-1"]})
    assert game.tape == [(5, {"stages": ["1-1"], "noops": 0})]


def test_a_negative_number_is_refused() -> None:
    with pytest.raises(ValueError, match="max_noops must not be negative, got -2"):
        NoopReset(OptionsGame(), max_noops=-2)
