"""Differential tests of episodes that start on demonstrations."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest
from native_games import (
    RIGHT_A_B,
    SEED,
    assert_same_end,
    assert_same_image,
    config_with,
    info_of,
    make_runner,
    random_actions,
)  # fmt: skip

from mario.config.env_config import StartCurriculumConfig
from mario.games.starts.demonstration_reset import ResetToDemonstration
from mario.games.starts.demonstration_starts import Demonstration, DemonstrationStarts
from mario.vector.replay_point import ReplayPoint
from wrappers import WrapperConfig

pytest.importorskip("mario.games._native", reason="the native extension is not built")
from mario.vector.native_mario import NativeMarioVectorEnv

NUM_STEPS = 40
DEMONSTRATIONS = [
    Demonstration(noops, (RIGHT_A_B,) * 6 + (1,) * (NUM_STEPS - 6), (5.0,) * NUM_STEPS)
    for noops in (0, 17)
]


def demonstration_config(max_steps=0, **changes):
    curriculum = StartCurriculumConfig(
        0.4, 0.5, demonstration_probability=0.7, demonstration_max_steps=max_steps
    )
    return config_with(WrapperConfig(noop_max=30, **changes), start_curriculum=curriculum)


def make_environments(config, num_envs=2):
    """Compiled games, and a `ProcessVectorEnv` without processes."""
    starts = DemonstrationStarts(DEMONSTRATIONS, config.start_curriculum)
    envs = NativeMarioVectorEnv(config, num_envs, seed=SEED, starts=starts)
    inner = partial(ResetToDemonstration, demonstrations=DEMONSTRATIONS, skip=config.wrappers.skip)
    runners = [make_runner(index, config, inner=inner) for index in range(num_envs)]
    return envs, runners


@pytest.mark.parametrize(
    ("max_steps", "sticky"), [(0, 0.0), (12, 0.0), (12, 0.3)], ids=["whole", "cut", "sticky"]
)
def test_starts_on_demonstrations_are_the_same(max_steps, sticky):
    config = demonstration_config(max_steps, repeat_action_probability=sticky)
    envs, runners = make_environments(config)
    envs.reset()
    for index, runner in enumerate(runners):
        runner.replay(SEED, envs.replay_log()[index])
    endings, starts = [], set()
    for step, actions in enumerate(random_actions(3, 2, 300)):
        points = envs.replay_log()
        observations, rewards, terminated, truncated, infos = envs.step(actions)
        for index, runner in enumerate(runners):
            expected = runner.step(int(actions[index]), points[index].next_start)
            assert (rewards[index], terminated[index], truncated[index]) == expected[1:4], step
            assert info_of(infos, index) == expected.info, step
            assert_same_image(observations[index], expected.observation)
            if expected.final:
                endings.append(assert_same_end(infos, index, *expected.final))
                starts.add(envs.replay_log()[index].log.start)
    assert {"death"} < set(endings) if max_steps else "death" in endings
    assert len(starts) > 4
    assert None in starts, "some episodes start at the beginning of the game"


def test_a_replay_log_restores_episodes_that_start_on_demonstrations():
    config = demonstration_config(max_steps=12)
    (envs, _), (others, runners) = (make_environments(config) for _ in range(2))
    envs.reset()
    for actions in random_actions(9, 2, 120):
        observations, *_ = envs.step(actions)
    while not any(point.log.start for point in envs.replay_log()):
        observations, *_ = envs.step(np.full(2, RIGHT_A_B))
    stored = json.loads(json.dumps([point.to_dict() for point in envs.replay_log()]))
    points = [ReplayPoint.from_dict(values) for values in stored]
    others.starts.load_state_dict(json.loads(json.dumps(envs.starts.state_dict())))
    np.testing.assert_array_equal(others.restore(points)[0], observations)
    for index, (runner, point) in enumerate(zip(runners, points, strict=True)):
        assert_same_image(observations[index], runner.replay(SEED, point)[0])
    for actions in random_actions(5, 2, 120):
        expected, result = envs.step(actions), others.step(actions)
        np.testing.assert_array_equal(expected[0], result[0])
    assert envs.replay_log() == others.replay_log()
    np.testing.assert_array_equal(envs.starts.failure_rates, others.starts.failure_rates)
