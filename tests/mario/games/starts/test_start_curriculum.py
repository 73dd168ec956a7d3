"""Episodes that start shortly before an earlier episode was lost."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mario.config.env_config import EnvConfig, StartCurriculumConfig
from mario.games.endings import FAILURES
from mario.games.starts.start_curriculum import (
    STEPS_BEFORE_LOSS,
    StartCurriculum,
    StartPoint,
    draw_steps_before_loss,
)
from mario.vector.env import wrap_game
from wrappers import WrapperConfig

FEWEST, MOST = STEPS_BEFORE_LOSS


class RecordingGame(gym.Env):
    """Its observation is the seed and the actions since. An action that is text ends the episode.

    The text is the ending.
    """

    observation_space = action_space = gym.spaces.Discrete(1)

    def reset(self, *, seed=None, options=None):
        self.history, self.options = [seed], options
        return tuple(self.history), {}

    def step(self, action):
        self.history.append(action)
        terminated = isinstance(action, str)
        ending = action if terminated else ""
        return tuple(self.history), 1.0, terminated, False, {"ending": ending}


def play(env, actions):
    for action in actions:
        *_, info = env.step(action)
    return info


def make_env(probability=1.0, farthest_probability=0.0):
    return StartCurriculum(
        RecordingGame(), StartCurriculumConfig(probability, farthest_probability)
    )


def offset(seed, farthest_probability=0.0):
    """The offset of an episode that starts before a loss."""
    return draw_steps_before_loss(StartCurriculumConfig(1.0, farthest_probability), seed)


@pytest.mark.parametrize("ending", sorted(FAILURES))
def test_the_episode_after_a_loss_starts_shortly_before_it(ending):
    env = make_env()
    env.reset(seed=1)
    play(env, [*range(100), ending])
    observation, info = env.reset(seed=2)
    num_replayed = 101 - offset(2)
    assert observation == (1, *range(num_replayed))
    assert info["start_offset"] == play(env, [7])["start_offset"] == num_replayed


def test_the_steps_before_a_loss_are_practised_until_they_are_mastered():
    env = make_env()
    env.reset(seed=1)
    play(env, [*range(100), "death"])
    first = env.reset(seed=2)[0]
    play(env, ["new"] * 50 + ["death"])
    second, info = env.reset(seed=3)
    whole = (*first, *["new"] * 50, "death")
    assert second == whole[: len(whole) - offset(3)]
    assert info["start_offset"] == len(second) - 1


@pytest.mark.parametrize(
    ("actions", "probability"),
    [
        ([*range(100), "flag"], 1.0),
        ([*range(100)], 1.0),
        ([*range(100), "death"], 0.0),
        ([*range(FEWEST - 1), "death"], 1.0),
    ],
    ids=["won", "not ended", "probability 0", "too short"],
)
def test_other_episodes_start_at_the_beginning_of_the_game(actions, probability):
    env = make_env(probability)
    env.reset(seed=1)
    play(env, actions)
    assert env.reset(seed=2) == ((2,), {"start_offset": 0, "farthest_update": 0})


def test_episodes_without_a_seed_are_not_replayed():
    env = make_env()
    for seeds in ((None, 1), (1, None)):
        env.reset(seed=seeds[0])
        play(env, [*range(100), "death"])
        assert env.reset(seed=seeds[1])[0] == (seeds[1],)


def test_an_episode_can_be_restored_at_a_start_point():
    env, restored = make_env(), make_env()
    env.reset(seed=1)
    play(env, [*range(100), "death"])
    observation = env.reset(seed=2)[0]
    options = {"start_point": StartPoint(1, observation[1:])}
    assert restored.reset(options=options) == (
        observation,
        {"ending": "", "start_offset": len(observation) - 1, "farthest_update": 0},
    )
    for each in (env, restored):
        play(each, [5] * 30 + ["time"])
    assert env.reset(seed=3) == restored.reset(seed=3)


def test_options_of_the_game_are_passed_on():
    env = make_env()
    env.reset(seed=4, options={"stages": "1-1"})
    assert env.unwrapped.options == {"stages": "1-1"}


def lose(env, seed, length):
    """Play a lost episode with a return of ``length``; return its last info."""
    env.reset(seed=seed)
    return play(env, [*range(length - 1), "death"])


def test_the_farthest_trajectory_is_followed_until_the_game_is_won():
    env = make_env(farthest_probability=1.0)
    assert lose(env, 1, 200)["farthest_update"] == 1
    assert lose(env, 2, 1)["farthest_update"] == 0, "follows the first one, but is shorter"
    observation, info = env.reset(seed=3)
    num_replayed = 200 + offset(3, 1.0)
    assert observation == (1, *range(num_replayed))
    assert info == {"ending": "", "start_offset": -num_replayed, "farthest_update": 0}
    assert play(env, [5] * 300 + ["death"])["farthest_update"] == 1
    observation, _ = env.reset(seed=4)
    assert observation[num_replayed + 1 :] == (5,) * (301 + offset(4, 1.0))
    assert play(env, ["flag"])["farthest_update"] == -1
    env.reset(seed=5)
    assert play(env, [*range(99), "time"])["farthest_update"] == 1, "the first loss after a win"


def test_an_episode_that_is_not_lost_does_not_change_the_farthest_trajectory():
    env = make_env(farthest_probability=1.0)
    lose(env, 1, 200)
    for _ in range(20):
        env.reset(seed=None)
        assert play(env, range(300))["farthest_update"] == 0
    lose(env, 2, 10)
    assert env.reset(seed=3)[0][0] == 1


def test_an_episode_can_be_restored_with_the_farthest_trajectory():
    env, restored = make_env(farthest_probability=0.5), make_env(farthest_probability=0.5)
    lose(env, 1, 300)
    env.reset(seed=None)
    play(env, [*range(149), "death"])
    farthest = StartPoint(1, [*range(299), "death"])
    for seed in range(2, 30):
        observation, info = env.reset(seed=seed)
        if info["start_offset"] < 0:
            start = StartPoint(1, observation[1:], on_farthest=True)
            options = {"start_point": start, "farthest": farthest}
            assert restored.reset(options=options) == (observation, info)
            for following in (40, 41, 42):
                for each in (env, restored):
                    play(each, [7] * 20 + ["death"])
                assert env.reset(seed=following) == restored.reset(seed=following)
            return
    pytest.fail("no episode started on the farthest trajectory")


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1))
def test_the_offset_of_a_seed_does_not_depend_on_the_probabilities(seed, probability, farthest):
    drawn = draw_steps_before_loss(StartCurriculumConfig(probability, farthest), seed)
    assert abs(drawn) in (0, offset(seed))
    assert FEWEST <= offset(seed) <= MOST


def test_offsets_have_the_configured_probabilities():
    config = StartCurriculumConfig(0.5, 0.25)
    drawn = np.array([draw_steps_before_loss(config, seed) for seed in range(4000)])
    assert 0.47 < (drawn != 0).mean() < 0.53
    assert 0.22 < (drawn < 0).sum() / (drawn != 0).sum() < 0.28
    assert set(abs(drawn)) == {0, *range(FEWEST, MOST + 1)}


class Corridor(gym.Env):
    """Its observation is filled with the frame number; frame 60 is death."""

    observation_space = gym.spaces.Box(0, 255, (8, 8, 3), np.uint8)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        self.frame = (options or {}).get("noops", 0)
        return self.image(), {}

    def step(self, action):
        self.frame += 1
        dead = self.frame >= 60
        return self.image(), 1.0, dead, False, {"ending": "death" if dead else ""}

    def image(self):
        return np.full((8, 8, 3), self.frame, np.uint8)


def play_to_the_end(env):
    terminated = False
    while not terminated:
        *_, terminated, _, info = env.step(0)
    return info["episode"]


def test_replayed_steps_are_neither_observed_nor_counted():
    wrappers = WrapperConfig(skip=1, size=2, noop_max=5)
    config = EnvConfig("", wrappers=wrappers, start_curriculum=StartCurriculumConfig(1.0))
    env = wrap_game(Corridor(), config)
    first, _ = env.reset(seed=0)
    length = play_to_the_end(env)["l"]
    seed = next(seed for seed in range(100) if 0 < offset(seed) < 50)
    observation, info = env.reset(seed=seed)
    steps_left = offset(seed)
    assert info["start_offset"] == length - steps_left
    assert {*observation.flat} == {int(first[0, 0, 0]) + length - steps_left}
    episode = play_to_the_end(env)
    assert (episode["r"], episode["l"]) == (steps_left, steps_left)
