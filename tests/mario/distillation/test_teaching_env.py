"""Environments with teachers, on the real game with agents that ship."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mario.config.env_config import EnvConfig
from mario.config.teaching_config import TeachingConfig
from mario.errors import UsageError
from mario.runs.trained_agent import load_agent
from wrappers import WrapperConfig

pytest.importorskip("mario.games._native", reason="the native extension is not built")

from mario.distillation.teacher import Teacher
from mario.distillation.teaching_env import make_teaching_env
from mario.games.actions import action_masks
from mario.vector.make import make_vector_env
from mario.vector.replay_point import ReplayPoint
from mario.vector.seeding import episode_seed

CHECKPOINTS = Path(__file__).parents[3] / "checkpoints"
CONFIG = EnvConfig(
    "SuperMarioBros-v0",
    actions="complex",
    wrappers=WrapperConfig(observation="orange", crop_top=32, show_action=True, noop_max=60),
)
ALWAYS = TeachingConfig(teacher_share=1.0)
NEVER = TeachingConfig(teacher_share=0.0, teacher_share_episodes=1)


@pytest.fixture(scope="module")
def teachers():
    """An agent that observes the same as the student, except for its actions, and another one."""
    return [load_agent(CHECKPOINTS / f"mario-{level}.chkpt") for level in ("1-1", "3-2")]


@pytest.fixture
def make(teachers):
    made = []

    def make_envs(teaching=ALWAYS, num_envs=3, config=CONFIG):
        made.append(make_teaching_env(config, teachers, num_envs, teaching, seed=5))
        return made[-1]

    yield make_envs
    for envs in made:
        envs.close()


def noop(envs):
    return np.zeros(envs.num_envs, np.int64)


def test_a_teacher_plays_as_in_its_own_environments(make, teachers):
    envs = make()
    envs.reset()
    executed = np.array([envs.step(noop(envs))[4]["actions"] for _ in range(60)])
    for index, trained in enumerate(teachers):
        wrappers = replace(trained.env_config.wrappers, noop_max=60)
        config = replace(trained.evaluation_config(), wrappers=wrappers)
        where = envs.slices[index]
        own = make_vector_env(
            config, num_envs=where.stop - where.start, seed=episode_seed(5, index, 0)
        )
        agent = trained.make_agent(own)
        states, _ = own.reset()
        for actions in executed:
            expected = agent.act(states)  # right-only are the first actions of complex
            np.testing.assert_array_equal(actions[where], expected)
            states = own.step(expected)[0]
        own.close()


def test_environments_are_divided_among_the_games(make):
    envs = make(num_envs=5)
    assert [where.stop - where.start for where in envs.slices] == [3, 2]
    with pytest.raises(UsageError, match="num_envs 1 is less than the 2 teachers"):
        make(num_envs=1)


def test_the_targets_are_probabilities_of_the_actions_that_the_teacher_has(make):
    envs = make()
    envs.reset()
    guidance = envs.step(noop(envs))[4]["guidance"]
    np.testing.assert_allclose(guidance.targets.sum(axis=1), 1, rtol=1e-5)
    assert not guidance.targets[:, 5:].any()
    assert guidance.targets.shape == (3, 12)
    assert guidance.weights.tolist() == [1, 1, 1]


def test_a_lower_temperature_is_nearer_to_the_greedy_policy(teachers):
    states = np.random.default_rng(0).integers(256, size=(4, 4, 84, 84)).astype(np.uint8)
    largest = [
        Teacher(teachers[0], action_masks("complex"), 4, temperature).label(states).max(axis=1)
        for temperature in (10.0, 0.1, 0.001)
    ]
    assert (largest[0] < largest[1]).all()
    assert (largest[1] < largest[2]).all()
    np.testing.assert_allclose(largest[0], 0.2, atol=0.05)


def test_teachers_act_in_fewer_episodes_as_time_passes(make):
    envs = make(TeachingConfig(teacher_share=0.25, teacher_share_episodes=4), num_envs=40)
    shares = []
    for episode in (0, 2, 50):
        envs.restore([ReplayPoint.at_reset(episode)] * 40)
        executed = envs.step(np.full(40, 11))[4]["actions"]
        shares.append((executed != 11).mean())
    assert shares[0] == 1
    assert 0.4 < shares[1] < 0.9
    assert 0.1 < shares[2] < 0.45


@pytest.mark.parametrize("steps", [2, 45])
def test_restored_environments_continue_exactly_like_the_original(make, steps):
    teaching = TeachingConfig(teacher_share=0.5, teacher_share_episodes=1)
    envs, other = make(teaching), make(teaching)
    envs.reset()
    rng = np.random.default_rng(0)
    for _ in range(steps):
        envs.step(rng.integers(12, size=3))
    points = [ReplayPoint.from_dict(point.to_dict()) for point in envs.replay_log()]
    other.restore(points)
    for _ in range(40):
        actions = rng.integers(12, size=3)
        mine, theirs = envs.step(actions), other.step(actions)
        for left, right in zip(mine[:4], theirs[:4], strict=True):
            np.testing.assert_array_equal(left, right)
        np.testing.assert_array_equal(mine[4]["actions"], theirs[4]["actions"])
        np.testing.assert_array_equal(mine[4]["guidance"].targets, theirs[4]["guidance"].targets)


def test_what_cannot_be_taught_is_refused_with_the_reason(make, teachers):
    skip = replace(CONFIG, wrappers=replace(CONFIG.wrappers, skip=2))
    with pytest.raises(UsageError, match="has frame skip 4, this run has 2"):
        make(config=skip)
    with pytest.raises(UsageError, match="emulator, but emulator is nes-py"):
        make(config=replace(CONFIG, emulator="nes-py"))
    with pytest.raises(UsageError, match=r"a teacher presses NOOP.*give more with actions"):
        make(config=replace(CONFIG, actions="tutorial"))
    recurrent = replace(teachers[0].hyper)
    object.__setattr__(recurrent, "policy", "lstm")
    with pytest.raises(UsageError, match="has a recurrent network"):
        Teacher(replace(teachers[0], hyper=recurrent), action_masks("complex"), 1, 1.0)
