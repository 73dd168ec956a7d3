"""Tests of the training loop, on fake environments."""

from __future__ import annotations

import itertools

import pytest
from doubles import Fault, fake_game
from tape import INVALID, TapeAgent, spec

from mario.training.loop import play
from mario.vector.process_vector import ProcessVectorEnv
from mario.vector.seeding import episode_seed


@pytest.fixture
def make_envs():
    """Makes vectors of fake games, which are closed after the test."""
    made = []

    def make_envs(num_envs=1, **kwargs):
        made.append(ProcessVectorEnv(fake_game(**kwargs), num_envs, report=lambda line: None))
        return made[-1]

    yield make_envs
    for envs in made:
        envs.close()


def first_state(env_index, episode):
    """The value of the first observation of an episode."""
    return episode_seed(0, env_index, episode) % 100


def test_the_agent_acts_learns_while_the_envs_run_and_caches(make_envs):
    envs, agent = make_envs(length=2), TapeAgent(spec(1))
    steps = list(itertools.islice(play(agent, envs, envs.reset()[0]), 3))
    a, b = first_state(0, 0), first_state(0, 1)
    assert agent.tape == [
        ("act", [a]), ("learn",), ("cache", [a], [1], [a + 1], [False]),
        ("act", [a + 1]), ("learn",), ("cache", [a + 1], [2], [a + 2], [True]),
        ("act", [b]), ("learn",), ("cache", [b], [0], [b + 1], [False]),
    ]  # fmt: skip
    assert [step.num_steps for step in steps] == [1, 1, 1]
    assert [step.metrics is None for step in steps] == [True, False, True]
    assert [list(step.final_infos) for step in steps] == [[], [0], []]
    info = steps[1].final_infos[0]
    assert info["episode"] == {"r": 3.0, "l": 2}
    assert info["ending"] == "flag"


def test_a_truncated_episode_is_cached_with_its_last_state_and_not_as_terminated(make_envs):
    envs, agent = make_envs(length=1, truncates=True), TapeAgent(spec(1))
    next(play(agent, envs, envs.reset()[0]))
    state = first_state(0, 0)
    assert agent.tape[-1] == ("cache", [state], [1], [state + 1], [False])


def test_a_step_lost_in_a_crash_is_cached_as_invalid(make_envs, tmp_path):
    fault = Fault("exit", at=2, once=tmp_path / "struck")
    envs, agent = make_envs(fault=fault), TapeAgent(spec(1))
    steps = list(itertools.islice(play(agent, envs, envs.reset()[0]), 3))
    state = first_state(0, 0) + 1
    assert agent.tape[5] == ("cache", [state], [INVALID], [state], [False])
    assert [step.num_steps for step in steps] == [1, 0, 1]
