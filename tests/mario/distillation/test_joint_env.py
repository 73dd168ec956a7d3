"""Several vector environments that are stepped as one."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from doubles import fake_game

from mario.distillation.joint_env import JointVectorEnv, join_infos
from mario.errors import UsageError
from mario.vector.base import final_info
from mario.vector.process_vector import ProcessVectorEnv


@pytest.fixture
def make():
    made = []

    def make_joint(*lengths, num_envs=2):
        parts = [
            ProcessVectorEnv(fake_game(length=length), num_envs, seed=index)
            for index, length in enumerate(lengths)
        ]
        made.append(JointVectorEnv(parts))
        return made[-1], parts

    yield make_joint
    for each in made:
        each.close()


def test_a_step_is_that_of_the_parts(make):
    joint, _ = make(3, 5)
    other, parts = make(3, 5)
    states = joint.reset()[0]
    for part, where in zip(parts, joint.slices, strict=True):
        np.testing.assert_array_equal(states[where], part.reset()[0])
    for number in range(6):
        actions = np.arange(4) % 2
        step = joint.step(actions)
        for part, where in zip(parts, joint.slices, strict=True):
            expected = part.step(actions[where])
            for column in range(4):
                np.testing.assert_array_equal(step[column][where], expected[column])
        ended = step[2] | step[3]
        assert ended.tolist() == [number in (2, 5)] * 2 + [number == 4] * 2
        for env in np.flatnonzero(ended):
            assert final_info(step[4], env)["episode"]["l"] == (3, 5)[env // 2]
    assert other.num_envs == 4


def test_seeds_and_points_are_those_of_the_parts(make):
    joint, parts = make(3, 5)
    assert joint.episode_seed(3, 7) == parts[1].episode_seed(1, 7)
    with pytest.raises(IndexError, match="env_index is 4; give less than 4"):
        joint.episode_seed(4, 0)
    joint.reset()
    for _ in range(4):
        joint.step(np.zeros(4, np.int64))
    points = joint.replay_log()
    assert [point.episode for point in points] == [1, 1, 0, 0]
    other, _ = make(3, 5)
    states, _ = other.restore(points)
    assert other.replay_log() == points
    np.testing.assert_array_equal(
        other.step(np.ones(4, np.int64))[0], joint.step(np.ones(4, np.int64))[0]
    )
    assert states.shape[0] == 4


def test_environments_with_other_spaces_are_refused(make):
    _, (first, second) = make(3, 3)
    second.single_action_space = gym.spaces.Discrete(77)
    with pytest.raises(UsageError, match=r"equal spaces, got Discrete\(77\) and"):
        JointVectorEnv([first, second])


def test_infos_that_only_some_parts_have_are_filled():
    names = np.array(["a"], object)
    joint = join_infos([{"n": {"x": np.array([True])}}, {"s": names}], [1, 1])
    assert joint["n"]["x"].tolist() == [True, False]
    assert joint["s"].tolist() == [None, "a"]
