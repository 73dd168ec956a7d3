"""Differential tests: ALE's threads against the wrappers around single games."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from mario.config.env_config import EndingRewardConfig, EnvConfig
from mario.errors import UsageError
from mario.vector.atari import AtariVectorEnv, _AtariGame
from mario.vector.base import final_info
from mario.vector.env import make_env
from mario.vector.make import make_vector_env
from mario.vector.process_vector import ProcessVectorEnv
from mario.vector.replay_point import ReplayPoint
from mario.vector.worker import EnvRunner
from wrappers import WrapperConfig

SEED = 3
BREAKOUT = "BreakoutNoFrameskip-v4"
BREAKOUT_STICKY = "ALE/Breakout-v5"
PONG_STICKY = "ALE/Pong-v5"
MS_PACMAN = "MsPacmanNoFrameskip-v4"
LIVES = EnvConfig(
    BREAKOUT,
    wrappers=WrapperConfig(
        max_pool=True, fire_reset=True, terminal_on_life_loss=True, reward_clip=1
    ),
    ending_reward=EndingRewardConfig(failure=-2),
)
COLORS = replace(LIVES, wrappers=replace(LIVES.wrappers, max_pool_colors=True))


@pytest.fixture
def vector():
    made = []

    def make(num_envs=2, game=BREAKOUT, wrappers=None, actions=None, config=None, **options):
        config = config or EnvConfig(game, actions, wrappers=wrappers or WrapperConfig())
        made.append(AtariVectorEnv(config, num_envs, **{"seed": SEED} | options))
        return made[-1]

    yield make
    for envs in made:
        envs.close()


def random_actions(envs, steps, seed=0):
    return np.random.default_rng(seed).integers(envs.single_action_space.n, size=(steps, 2))


def assert_same_image(actual, expected):
    assert actual.shape == expected.shape
    assert np.abs(actual.astype(int) - expected).max() <= 1


def summary(info):
    """Why an episode ended, and the game's return and length."""
    episode = info.get("episode", {})
    return info["ending"], episode.get("r"), episode.get("l")


@pytest.mark.parametrize(
    ("config", "steps"),
    [
        (LIVES, 240),
        (COLORS, 60),
        (EnvConfig(PONG_STICKY, wrappers=WrapperConfig(observation="pong")), 60),
    ],
)
def test_threads_and_wrappers_return_the_same(vector, config, steps):
    envs = vector(config=config)
    runners = [EnvRunner(make_env(config), SEED, index) for index in range(2)]
    states, _ = envs.reset()
    for state, runner in zip(states, runners, strict=True):
        assert_same_image(state, runner.replay(SEED, ReplayPoint.at_reset(0))[0])
    ends = []
    for actions in random_actions(envs, steps):
        states, rewards, terminated, truncated, infos = envs.step(actions)
        for index in range(2):
            expected = runners[index].step(int(actions[index]))
            assert_same_image(states[index], expected.observation)
            assert (rewards[index], terminated[index], truncated[index]) == expected[1:4]
            if expected.final:
                ends.append(summary(final_info(infos, index)))
                assert ends[-1] == summary(expected.final[1])
    if config is LIVES:
        assert {ending for ending, *_ in ends} == {"life", "game over"}


@pytest.mark.parametrize("game", [BREAKOUT, BREAKOUT_STICKY])
def test_a_replay_log_restores_every_game_exactly(vector, game):
    wrappers = WrapperConfig(
        noop_max=30, max_pool=True, fire_reset=True, terminal_on_life_loss=True
    )
    first, second = (vector(game=game, wrappers=wrappers) for _ in range(2))
    first.reset()
    all_actions = random_actions(first, 330)
    for actions in all_actions[:300]:
        expected, *_ = first.step(actions)
    points = first.replay_log()
    assert [point.episode for point in points] != [0, 0]
    states, infos = second.restore(points)
    np.testing.assert_array_equal(states, expected)
    assert second.replay_log() == points
    assert infos["ending"].tolist() == ["", ""]
    for actions in all_actions[300:]:
        for one, other in itertools.pairwise((first.step(actions), second.step(actions))):
            for left, right in zip(one[:4], other[:4], strict=True):
                np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(
    "rom", ["breakout", "pong", "seaquest", "qbert", "ms_pacman", "montezuma_revenge", "enduro"]
)
def test_an_episode_does_not_depend_on_how_the_previous_one_was_played(rom):
    def images(steps):
        game = _AtariGame(rom, 0.0, WrapperConfig(noop_max=30, max_pool=True))
        game.reset(SEED)
        rng = np.random.default_rng(steps)
        for action in rng.integers(18, size=steps):
            game.start_step(action)
            game.finish_step()
        yield game.reset(None)[0]
        for action in np.random.default_rng(0).integers(18, size=40):
            game.start_step(action)
            yield game.finish_step().image

    np.testing.assert_array_equal([*images(0)], [*images(70)])


@pytest.mark.parametrize(
    ("game", "seeds"), [(BREAKOUT, [0, None, None, 3, None]), (BREAKOUT_STICKY, [2, 3, 4])]
)
def test_a_seed_lasts_for_several_episodes_without_sticky_actions(vector, monkeypatch, game, seeds):
    def number(seed, env_index, episode):
        return episode

    monkeypatch.setattr("mario.vector.atari.EPISODES_PER_SEED", 3)
    monkeypatch.setattr("mario.vector.atari.episode_seed", number)  # as in training
    envs = vector(num_envs=1, game=game, seed_function=number)
    received = []
    envs._games[0].reset = lambda seed: (received.append(seed), (envs._states[0, 0], {}))[1]
    envs.restore([ReplayPoint.at_reset(2)])
    for episode in (3, 4):
        envs._reset(0, episode)
    assert received == seeds


def test_no_op_frames_make_episodes_differ(vector):
    envs = vector(num_envs=8, seed=1, wrappers=WrapperConfig(noop_max=3, fire_reset=True))
    envs.reset()
    for _ in range(5):
        states, *_ = envs.step(np.zeros(8, np.int64))
    assert len({state.tobytes() for state in states}) == 4


def test_rewards_are_the_games_own_without_clipping(vector):
    envs = vector(wrappers=WrapperConfig(fire_reset=True))
    envs.reset()
    totals, returns = np.zeros(2), {}
    for actions in random_actions(envs, 400):
        _, rewards, terminated, _, infos = envs.step(actions)
        totals += rewards
        for index in np.flatnonzero(terminated):
            returns[index] = final_info(infos, int(index))["episode"]["r"], totals[index]
            totals[index] = 0
    assert len(returns) == 2
    assert all(reported == total for reported, total in returns.values())


def test_an_action_set_without_the_fire_button_is_refused_if_it_is_needed(vector):
    with pytest.raises(UsageError, match="no action of this game presses only the fire button"):
        vector(actions=[["left"], ["right"]], wrappers=WrapperConfig(fire_reset=True))


def test_a_game_without_the_fire_button_is_not_fired(vector):
    """As OpenAI Baselines, whose presets then fit all games."""
    wrappers = WrapperConfig(fire_reset=True)
    envs, plain = vector(game=MS_PACMAN, wrappers=wrappers), vector(game=MS_PACMAN)
    env = make_env(EnvConfig(MS_PACMAN, wrappers=wrappers))
    assert env.reset(seed=SEED)[1]["lives"] == 3
    env.close()
    np.testing.assert_array_equal(envs.reset()[0], plain.reset()[0])
    for actions in random_actions(envs, 50):
        for actual, expected in zip(envs.step(actions)[:4], plain.step(actions)[:4], strict=True):
            np.testing.assert_array_equal(actual, expected)


def test_reset_options_are_refused(vector):
    with pytest.raises(UsageError, match="has no reset options"):
        vector().reset(options={"noops": 3})


def test_processes_restore_a_game_in_which_lives_were_lost():
    make = partial(make_env, LIVES)
    envs = ProcessVectorEnv(make, 1, seed=SEED)
    others = ProcessVectorEnv(make, 1, seed=SEED)
    try:
        envs.reset()
        for action in np.random.default_rng(0).integers(4, size=60):
            states, *_, infos = envs.step(np.array([action]))
        (lives,) = infos["lives"]
        (point,) = envs.replay_log()
        assert (point.episode, len(point.log.actions)) == (0, 60)
        assert 0 < lives < 5
        np.testing.assert_array_equal(others.restore([point])[0], states)
        for left, right in zip(envs.step(action[None]), others.step(action[None]), strict=True):
            np.testing.assert_equal(left, right)
    finally:
        envs.close()
        others.close()


def test_the_episodes_of_an_evaluation_do_not_depend_on_the_number_of_environments():
    config = EnvConfig(BREAKOUT, wrappers=WrapperConfig(noop_max=30))
    starts = []
    for num_envs, env_index, episode in ((1, 0, 1), (2, 1, 0)):  # both are the second episode
        envs = make_vector_env(config, num_envs=num_envs, seed=SEED, stratified_episodes=8)
        envs.reset()
        envs._reset(env_index, episode)
        starts.append(envs._states[env_index].copy())
        envs.close()
    np.testing.assert_array_equal(*starts)
