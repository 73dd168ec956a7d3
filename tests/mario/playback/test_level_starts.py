"""In a whole game every level and life begins as if it were played alone."""

from __future__ import annotations

import json
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from doubles import FakeGame

from mario.errors import UsageError
from mario.games import make_game
from mario.playback.level_starts import LevelStarts
from wrappers import WrapperConfig, wrap

STACK = 4
HUD_ROWS = 12
PLAYS = json.loads((Path(__file__).parents[2] / "fixtures" / "mario_plays.json").read_text())


class Journey(gym.Env):
    """Shows the numbers of its latest pictures; where it is at each of them, it is told."""

    observation_space = gym.spaces.Box(0, 255, (STACK, 1), np.uint8)
    action_space = gym.spaces.Discrete(1)

    def __init__(self, *places):
        self.places = places

    def info(self):
        return dict(zip(("world", "stage", "life"), self.places[self.now], strict=True))

    now = 0

    def reset(self, *, seed=None, options=None):
        self.now = 0
        return self.observe(), self.info()

    def step(self, action):
        told = self.info()  # as the real games do: what they tell is from before a cut scene
        self.now += 1
        return self.observe(), 0.0, False, False, told

    def observe(self):
        return np.clip(np.arange(self.now - STACK + 1, self.now + 1), 0, None)[:, None].astype("u1")


def pictures(*places):
    """The numbers of the pictures that an agent sees together at each decision, and the level."""
    env = LevelStarts(Journey(*places))
    states = [env.reset()[0]]
    levels = [env.level]
    for _ in places[1:]:
        states.append(env.step(0)[0])
        levels.append(env.level)
    return [state[:, 0].tolist() for state in states], levels


def test_a_level_alone_is_seen_as_it_is():
    states, levels = pictures(*[(1, 1, 2)] * 6)
    assert states[0] == [0, 0, 0, 0]
    assert states[2] == [0, 0, 1, 2]
    assert states[5] == [2, 3, 4, 5]
    assert set(levels) == {"1-1"}


@pytest.mark.parametrize("then", [(1, 2, 2), (4, 1, 2), (1, 1, 1)])
def test_another_level_or_life_begins_with_its_first_picture_repeated(then):
    states, levels = pictures(*[(1, 1, 2)] * 5, *[then] * 5)
    assert states[4] == [1, 2, 3, 4]
    assert states[5:] == [[5, 5, 5, 5], [5, 5, 5, 6], [5, 5, 6, 7], [5, 6, 7, 8], [6, 7, 8, 9]]
    assert levels[5:] == [f"{then[0]}-{then[1]}"] * 5


def test_places_that_follow_each_other_fast_are_kept_apart():
    states, levels = pictures((1, 1, 2), (1, 1, 2), (1, 1, 1), (1, 1, 0), (1, 2, 0), (1, 2, 0))
    assert states[2:] == [[2] * 4, [3] * 4, [4] * 4, [4, 4, 4, 5]]
    assert levels[3:] == ["1-1", "1-2", "1-2"]


def test_a_new_episode_begins_where_the_game_does():
    env = LevelStarts(Journey((1, 1, 2), (1, 2, 2), (1, 2, 2)))
    env.reset()
    env.step(0)
    assert env.level == "1-2"
    assert env.reset()[0][:, 0].tolist() == [0] * 4
    assert env.level == "1-1"


def test_what_the_game_showed_is_not_written_to():
    shown = []

    class Keeper(Journey):
        def observe(self):
            shown.append(super().observe())
            return shown[-1]

    env = LevelStarts(Keeper((1, 1, 2), (1, 1, 2), (1, 2, 2)))
    env.reset()
    env.step(0)
    env.step(0)
    assert shown[-1][:, 0].tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize("game", [FakeGame(), gym.make("CartPole-v1")])
def test_a_game_without_levels_is_refused(game):
    with pytest.raises(UsageError, match="has no levels for agents to share; give one checkpoint"):
        LevelStarts(game).reset()


def test_the_real_game_goes_on_to_a_level_as_that_level_begins_alone():
    """But for score and coins."""
    (play,) = (each for each in PLAYS if each["name"] == "whole game into 1-2")
    env = LevelStarts(
        wrap(make_game("SuperMarioBros-v0", actions="buttons"), WrapperConfig(skip=1))
    )
    alone = wrap(make_game("SuperMarioBros-1-2-v0"), WrapperConfig(skip=1))
    env.reset()
    masks = (mask for mask, frames in play["buttons"] for _ in range(frames))
    while env.level == "1-1":
        state, *_ = env.step(next(masks))
    first, _ = alone.reset()
    assert env.level == "1-2"
    assert (state[:, HUD_ROWS:] == first[:, HUD_ROWS:]).all()
    env.close()
    alone.close()
