"""A resumed `PPO` continues bit for bit as if it had never stopped."""

from __future__ import annotations

import copy
import functools
import io
from dataclasses import replace

import pytest
import torch
from cues import TINY, Cues, live, spec

from agents.ppo.agent import PPO

CONFIG = replace(
    TINY, policy="lstm", learning_rate=1e-2, learning_rate_end=0.0, schedule_steps=200,
    clip_range_end=0.1, target_kl=1.0,
)  # fmt: skip
STEPS = 13
"""Into the midst of a rollout, and of episodes."""

ENTRIES = [
    "network",
    "learner/optimizer/state",
    "rollout",
    "rollout/recurrent_state",
    "actor/rng",
    "actor/recurrent_state",
    "shuffle_rng",
    "steps",
    "learned_at",
    "learner/skipped_in_a_row",
]


@pytest.fixture
def agents():
    made = []

    def make(config=CONFIG, threads: int = 1) -> PPO:
        made.append(PPO.build(spec(num_envs=3, threads=threads), config))
        return made[-1]

    yield make
    for agent in made:
        agent.close()


def through_a_file(agent: PPO) -> dict:
    file = io.BytesIO()
    torch.save(agent.state_dict(), file)
    return torch.load(io.BytesIO(file.getvalue()), weights_only=True)


def flat(state: object, name: str = "") -> dict:
    """Flatten a nested state into a dict of values that compare bit for bit."""
    if isinstance(state, torch.Tensor):
        return {name: state.contiguous().numpy().tobytes()}
    if isinstance(state, list):
        state = dict(enumerate(state))
    if not isinstance(state, dict):
        return {name: state}
    return functools.reduce(
        dict.__or__, (flat(each, f"{name}/{part}") for part, each in state.items()), {}
    )


def outcome(agent: PPO, games: Cues) -> dict:
    """Return the observable state of an agent after some more steps, and its metrics."""
    skipped = agent._learner.skipped_in_a_row
    learned = live(agent, games, STEPS + 8)
    return flat([through_a_file(agent), learned, skipped])


def paused(agents, config=CONFIG, threads: int = 1) -> tuple[PPO, Cues]:
    agent, games = agents(config, threads), Cues(3)
    live(agent, games, STEPS)
    agent._learner.skipped_in_a_row = 9  # so that its absence would be noticed
    return agent, games


def resumed(agents, state: dict, games: Cues, config=CONFIG, threads: int = 1) -> dict:
    agent = agents(config, threads)
    agent.load_state_dict(state)
    return outcome(agent, games)


@pytest.mark.parametrize("policy", ["cnn", "lstm", "lnlstm"])
@pytest.mark.parametrize(("precision", "threads"), [("float32", 1), ("bfloat16", 2)])
def test_resuming_equals_never_having_stopped(agents, policy, precision, threads):
    config = replace(CONFIG, policy=policy, precision=precision)
    agent, games = paused(agents, config, threads)
    state, then = through_a_file(agent), copy.deepcopy(games)
    straight = outcome(agent, games)
    assert straight == resumed(agents, state, then, config, threads)


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_entry_of_the_state_is_necessary(agents, entry):
    agent, games = paused(agents)
    state, then = through_a_file(agent), copy.deepcopy(games)
    straight = outcome(agent, games)
    *path, last = entry.split("/")
    inside = functools.partial(functools.reduce, dict.__getitem__, path)
    fresh = through_a_file(agents())
    inside(state)[last] = inside(fresh)[last]
    assert straight != resumed(agents, state, then)


def test_every_entry_of_the_state_was_tested(agents):
    assert {entry.split("/")[0] for entry in ENTRIES} == set(agents().state_dict())
