"""Differential tests: the compiled games against the Python game, wrappers and native emulator."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from native_games import (
    CONFIG,
    SEED,
    assert_same_image,
    assert_same_play,
    config_with,
    make_runner,
    random_actions,
)  # fmt: skip

from mario.config.env_config import EndingRewardConfig, StartCurriculumConfig
from mario.games.smb_levels import LEVELS
from mario.vector.replay_point import ReplayPoint
from wrappers import WrapperConfig

pytest.importorskip("mario.games._native", reason="the native extension is not built")
from mario.vector.native_mario import NativeMarioVectorEnv

PLAYS = json.loads((Path(__file__).parents[2] / "fixtures" / "mario_plays.json").read_text())


@pytest.fixture
def vector():
    made = []

    def make(num_envs=1, config=CONFIG, *, seed=SEED, **kwargs):
        made.append(NativeMarioVectorEnv(config, num_envs, seed=seed, **kwargs))
        return made[-1]

    yield make
    for envs in made:
        envs.close()


def assert_same_random_play(vector, level, num_envs, threads, steps, *, curriculum=None, **options):
    config = config_with(WrapperConfig(noop_max=30))
    if curriculum is not None:
        config = replace(config, start_curriculum=curriculum)
    envs = vector(num_envs, config, level=level, threads=threads, **options)
    runners = [make_runner(index, config, level=level, **options) for index in range(num_envs)]
    return assert_same_play(envs, runners, random_actions(len(level or ""), num_envs, steps))


@pytest.mark.parametrize(("num_envs", "threads"), [(1, 1), (3, 2), (8, 3)])
def test_random_play_is_the_same(vector, num_envs, threads):
    endings = assert_same_random_play(vector, "1-1", num_envs, threads, steps=600 // num_envs)
    assert "death" in endings


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_random_play_of_every_level_is_the_same(vector, level):
    assert_same_random_play(vector, level, 2, 2, steps=250, stall_frames=120)


@pytest.mark.slow
def test_random_play_of_the_whole_game_is_the_same(vector):
    curriculum = StartCurriculumConfig(probability=1.0, farthest_probability=0.5)
    endings = assert_same_random_play(vector, None, 2, 2, steps=1500, curriculum=curriculum)
    assert "game over" in endings


@pytest.mark.parametrize("stall_frames", [1, 30, None])
def test_stalled_games_are_truncated_in_the_same_step(vector, stall_frames):
    envs = vector(stall_frames=stall_frames)
    runners = [make_runner(0, stall_frames=stall_frames)]
    endings = assert_same_play(envs, runners, [np.zeros(1, int)] * 40)
    assert set(endings) == (set() if stall_frames is None else {"truncated"})


@pytest.mark.slow
@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play["name"])
def test_recorded_plays_are_the_same(vector, play):
    game = {key: play[key] for key in ("level", "lost_levels")}
    config = config_with(WrapperConfig(skip=1, stack=1), actions="buttons")
    frames = [np.array([mask]) for mask, count in play["buttons"] for _ in range(count)]
    endings = assert_same_play(vector(1, config, **game), [make_runner(0, config, **game)], frames)
    assert set(endings) >= set(play["ends"])


@pytest.mark.parametrize(
    "wrappers",
    [
        WrapperConfig(skip=1, size=1, stack=1),
        WrapperConfig(skip=3, size=37, stack=2, reward_scale=-0.1),
        WrapperConfig(skip=5, size=96, stack=5, reward_clip=1.0),
        WrapperConfig(size=240, noop_max=3, reward_scale=0.5, reward_clip=2.5),
        WrapperConfig(size=20, show_action=True),
        WrapperConfig(crop_top=32, show_action=True),
        WrapperConfig(observation="orange"),
        WrapperConfig(size=77, crop_top=163),
        WrapperConfig(show_action=True, stack=3),
        WrapperConfig(repeat_action_probability=0.6, noop_max=30, skip=3),
    ],
)
def test_every_wrapper_has_the_same_effect(vector, wrappers):
    config = config_with(wrappers)
    runners = [make_runner(index, config) for index in range(2)]
    assert_same_play(vector(2, config), runners, random_actions(1, 2, 60))


def test_ending_rewards_are_the_same(vector):
    config = config_with(
        WrapperConfig(reward_scale=0.1, reward_clip=1.0), ending_reward=EndingRewardConfig(5, -2.5)
    )
    runners = [make_runner(0, config)]
    assert "death" in assert_same_play(vector(1, config), runners, [np.ones(1, int)] * 60)


@pytest.mark.parametrize("farthest_probability", [0.0, 0.5])
def test_the_start_curriculum_is_the_same(vector, farthest_probability):
    config = config_with(
        WrapperConfig(noop_max=30, show_action=True),
        start_curriculum=StartCurriculumConfig(0.9, farthest_probability),
    )
    envs = vector(2, config, threads=2)
    runners = [make_runner(index, config) for index in range(2)]
    endings = assert_same_play(envs, runners, random_actions(3, 2, 300))
    assert endings.count("death") > 4
    assert any(point.start_offset for point in envs.replay_log())


def test_results_do_not_depend_on_threads_or_on_step_async(vector):
    one, three = vector(8, threads=1), vector(8, threads=3)
    np.testing.assert_array_equal(one.reset()[0], three.reset()[0])
    for actions in random_actions(2, 8, 80):
        three.step_async(actions)
        expected, result = one.step(actions), three.step_wait()
        for left, right in zip(expected[:4], result[:4], strict=True):
            np.testing.assert_array_equal(left, right)


def test_returned_observations_are_never_written_to(vector):
    envs = vector(2)
    returned = [envs.reset()[0]]
    copies = [returned[0].copy()]
    for actions in random_actions(3, 2, 5):
        returned.append(envs.step(actions)[0])
        copies.append(returned[-1].copy())
    for array, copy in zip(returned, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert any((a != b).any() for a, b in itertools.pairwise(returned))


def test_sticky_actions_make_environments_differ(vector):
    plain, sticky = (
        vector(
            8,
            config_with(
                WrapperConfig(repeat_action_probability=probability),
                start_curriculum=StartCurriculumConfig(0.5),
            ),
        )
        for probability in (0.0, 0.25)
    )
    first = sticky.reset()[0]
    np.testing.assert_array_equal(plain.reset()[0], first)
    for actions in random_actions(2, 1, 40):
        equal, different = (envs.step(actions.repeat(8))[0] for envs in (plain, sticky))
    assert len(np.unique(equal, axis=0)) == 1
    assert len(np.unique(different, axis=0)) > 4


@pytest.mark.parametrize(
    ("probability", "farthest_probability", "sticky"),
    [(0.0, 0.0, 0.0), (0.9, 0.0, 0.0), (0.9, 0.5, 0.25), (0.9, 1.0, 0.0)],
)
def test_a_replay_log_restores_compiled_and_wrapped_games(
    vector, probability, farthest_probability, sticky
):
    config = config_with(
        WrapperConfig(noop_max=30, repeat_action_probability=sticky),
        start_curriculum=StartCurriculumConfig(probability, farthest_probability),
    )
    envs, others = vector(2, config), vector(2, config)
    envs.reset()
    for actions in random_actions(9, 2, 200):
        observations, *_ = envs.step(actions)
    stored = json.loads(json.dumps([point.to_dict() for point in envs.replay_log()]))
    points = [ReplayPoint.from_dict(values) for values in stored]
    assert max(point.episode for point in points) > 0
    assert any(point.start_offset for point in points) == bool(probability)
    all_lost = {point.farthest is not None for point in points}
    assert all_lost == {farthest_probability > 0}, "every game was lost"
    restored, _ = others.restore(points)
    np.testing.assert_array_equal(restored, observations)
    runners = [make_runner(index, config) for index in range(2)]
    for index, (runner, point) in enumerate(zip(runners, points, strict=True)):
        assert_same_image(observations[index], runner.replay(SEED, point)[0])
    for actions in random_actions(5, 2, 150):
        expected, result = envs.step(actions), others.step(actions)
        np.testing.assert_array_equal(expected[0], result[0])
        for index, runner in enumerate(runners):
            assert_same_image(expected[0][index], runner.step(int(actions[index])).observation)
    assert envs.replay_log() == others.replay_log()


def test_reset_accepts_another_seed(vector):
    config = config_with(WrapperConfig(noop_max=30))
    envs, others = vector(4, config, seed=1), vector(4, config, seed=2)
    first, _ = envs.reset()
    np.testing.assert_array_equal(envs.reset(seed=2)[0], others.reset()[0])
    assert (first != envs.reset(seed=3)[0]).any()
