"""Those who look on are told of each decision before it is played."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from doubles import FakeGame
from tape import TapeAgent, spec

from mario.playback.watch import Closed, FrameTap, watch_episode


class Rating(TapeAgent):
    """Prefers the action that it does not do, and calls that a whim."""

    action_values_name = "whim"

    def action_values(self, states):
        return states[:, 0, 0, :3].astype(np.float32)


class Named(gym.Wrapper):
    action_names = ("left", "right", "A")


class Counted(FakeGame):
    """Tells the reward so far as Gymnasium's statistics do."""

    @property
    def episode_returns(self):
        return self.total


def game(length=3):
    return Counted(length=length)


def watched(agent, env, **kwargs):
    moments = []
    played = watch_episode(agent, env, seed=7, on_decision=moments.append, **kwargs)
    return played, moments


def test_each_decision_is_told_with_what_was_known_before_it():
    played, moments = watched(Rating(spec()), Named(game()))
    assert [each.decision for each in moments] == [1, 2, 3]
    assert [each.action for each in moments] == [1, 2, 0]
    assert [each.reward for each in moments] == [0, 1, 3]
    assert [each.info["x_pos"] for each in moments] == [0, 1, 2]
    assert [int(each.state[0, 0, 0]) for each in moments] == [7, 8, 9]
    assert [each.action_values.tolist() for each in moments] == [[7] * 3, [8] * 3, [9] * 3]
    assert {each.action_values_name for each in moments} == {"whim"}
    assert {each.names for each in moments} == {("left", "right", "A")}
    assert played.length == 3


def test_actions_without_names_are_numbered_and_an_agent_may_have_no_preferences():
    _, moments = watched(TapeAgent(spec()), game())
    assert {each.names for each in moments} == {("0", "1", "2")}
    assert {each.action_values for each in moments} == {None}


def test_a_random_action_is_told_as_it_is_played():
    env = game(length=30)
    played, moments = watched(TapeAgent(spec()), env, epsilon=1.0)
    assert sum(each.action for each in moments) == played.reward
    assert [each.action for each in moments] != [step % 3 for step in range(1, 31)]


def test_nobody_is_told_when_nobody_looks_on():
    class Shy(TapeAgent):
        def action_values(self, states):
            raise AssertionError("nobody asked")

    assert watch_episode(Shy(spec()), game(), seed=0).length == 3


def test_a_sink_that_has_seen_enough_ends_the_show():
    seen = []
    env = FrameTap(game(), [lambda frame: seen.append(0) or len(seen) < 3])
    with pytest.raises(Closed):
        watch_episode(TapeAgent(spec()), env, seed=0)
    assert len(seen) == 3
