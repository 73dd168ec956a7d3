"""Observers receive each step before the environment takes it, and can stop the playback."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from doubles import FakeGame
from tape import TapeAgent, spec

from mario.playback.watch import FrameObserver, StopPlayback, watch_episode, watch_episodes


class ScoringAgent(TapeAgent):
    """Has action values, which it ignores."""

    action_values_name = "score"

    def action_values(self, states):
        return states[:, 0, 0, :3].astype(np.float32)


class WithActionNames(gym.Wrapper):
    action_names = ("left", "right", "A")


class GameWithReturns(FakeGame):
    """Exposes the return so far as Gymnasium's RecordEpisodeStatistics does."""

    @property
    def episode_returns(self):
        return self.total_reward


def make_game(length=3):
    return GameWithReturns(length=length)


def watch(agent, env, **kwargs):
    steps = []
    result = watch_episode(agent, env, seed=7, on_step=steps.append, **kwargs)
    return result, steps


def test_each_step_is_passed_on_with_what_is_known_before_it():
    result, steps = watch(ScoringAgent(spec()), WithActionNames(make_game()))
    assert [step.step for step in steps] == [1, 2, 3]
    assert [step.action for step in steps] == [1, 2, 0]
    assert [step.episode_return for step in steps] == [0, 1, 3]
    assert [step.info["x_pos"] for step in steps] == [0, 1, 2]
    assert [int(step.state[0, 0, 0]) for step in steps] == [7, 8, 9]
    assert [step.action_values.tolist() for step in steps] == [[7] * 3, [8] * 3, [9] * 3]
    assert {step.action_values_name for step in steps} == {"score"}
    assert {step.action_names for step in steps} == {("left", "right", "A")}
    assert result.length == 3


def test_actions_without_names_are_numbered_and_action_values_are_optional():
    _, steps = watch(TapeAgent(spec()), make_game())
    assert {step.action_names for step in steps} == {("0", "1", "2")}
    assert {step.action_values for step in steps} == {None}


def test_random_actions_are_passed_on_as_they_are_played():
    env = make_game(length=30)
    result, steps = watch(TapeAgent(spec()), env, epsilon=1.0)
    assert sum(step.action for step in steps) == result.reward
    assert [step.action for step in steps] != [number % 3 for number in range(1, 31)]


def test_action_values_are_not_computed_without_an_observer():
    class Unobserved(TapeAgent):
        def action_values(self, states):
            raise AssertionError("action_values was called")

    assert watch_episode(Unobserved(spec()), make_game(), seed=0).length == 3


def test_a_frame_callback_can_stop_the_playback():
    frames = []
    env = FrameObserver(make_game(), [lambda frame: frames.append(frame) or len(frames) < 3])
    with pytest.raises(StopPlayback):
        watch_episode(TapeAgent(spec()), env, seed=0)
    assert len(frames) == 3


class FakePlayer:
    """Plays `FakeGame`, which is closed at the end."""

    game = "Fake-v0"

    def make_env(self, emulator="auto", *, noop_max=0, inner=None):
        self.env = make_game()
        self.env.close = lambda: setattr(self, "closed", True)
        return inner(self.env)

    def make_agent(self, env, *, seed=0):
        return TapeAgent(spec())


def test_episodes_have_consecutive_seeds_and_the_game_is_closed():
    player, frames = FakePlayer(), []
    results = list(
        watch_episodes(player, lambda frame: not frames.append(frame), episodes=2, seed=7)
    )
    assert [result.length for result in results] == [3, 3]
    assert [int(frame.max()) for frame in frames] == [7, 8, 9, 10, 8, 9, 10, 11]
    assert player.closed


def test_a_frame_callback_ends_all_episodes():
    player, frames = FakePlayer(), []
    results = watch_episodes(
        player, lambda frame: frames.append(frame) or len(frames) < 6, episodes=5
    )
    assert len(list(results)) == 1
    assert player.closed
