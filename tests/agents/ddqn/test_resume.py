"""A resumed agent continues exactly as if it had never stopped."""

from __future__ import annotations

import copy
import functools
import io
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from corridors import TINY, Corridors, live

from agents.ddqn.agent import DDQN
from agents.ddqn.config import DDQNConfig

STEPS = 38
OPTIONS = {
    "priority_alpha": 0.6,
    "priority_beta_steps": 150,
    "random_shift": 2,
    "dueling": True,
    "weight_average_updates": 40,
}

ENTRIES = [
    "network",
    "learner/optimizer/state",
    "exploration/steps",
    "exploration/generator",
    "replay/storage/ring/heads",
    "replay/storage/writer/ages",
    "replay/sampler/generator",
    "steps",
    "learned_at",
    "learner/skipped_in_a_row",
]
OPTIONAL = [
    "replay/sampler/priorities",
    "replay/sampler/max_error",
    "random_shift/generator",
    "average/averages",
    "average/num_updates",
]


@dataclass
class Paused:
    """An agent and its environments, with the saved state of the agent and copies of the rest."""

    agent: DDQN
    games: Corridors
    file: bytes
    then: Corridors
    folder: Path


def in_a_file(state: dict) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


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


@pytest.fixture
def paused(agents, tmp_path) -> Paused:
    return pause(agents, TINY, tmp_path)


def pause(agents, config: DDQNConfig, tmp_path: Path, threads: int = 1) -> Paused:
    folder = tmp_path / "run"
    agent, games = agents(config, num_envs=3, folder=folder, threads=threads), Corridors(3)
    live(agent, games, STEPS)
    assert (games.states[:, 0] != games.states[:, 1]).any(), "or ages would not matter"
    agent._learner.skipped_in_a_row = 9  # so that its absence would be noticed
    agent.replay.sampler._max_error = 9.0
    agent.replay.flush()
    file = in_a_file(agent.state_dict())
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    return Paused(agent, games, file, copy.deepcopy(games), tmp_path / "copy")


def outcome(agent: DDQN, games: Corridors) -> dict:
    """Return the observable state of an agent after some more steps, and its metrics."""
    skipped = agent._learner.skipped_in_a_row
    learned = live(agent, games, STEPS)
    state = torch.load(io.BytesIO(in_a_file(agent.state_dict())), weights_only=True)
    remembered = dict(agent.replay.storage[:].items())
    return flat([state, remembered, learned, skipped])


def resumed(
    agents,
    paused: Paused,
    without: str | None = None,
    config: DDQNConfig = TINY,
    threads: int = 1,
) -> dict:
    agent = agents(config, num_envs=3, folder=paused.folder, threads=threads)
    state = torch.load(io.BytesIO(paused.file), weights_only=True)
    if without:
        *path, last = without.split("/")
        inside = functools.partial(functools.reduce, dict.__getitem__, path)
        inside(state)[last] = inside(agent.state_dict())[last]
    agent.load_state_dict(state)
    return outcome(agent, paused.then)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("change", [{}, {"separate_target": True}, OPTIONS])
@pytest.mark.parametrize("threads", [1, 2])
def test_resuming_equals_never_having_stopped(agents, tmp_path, precision, change, threads):
    config = replace(TINY, precision=precision, **change)
    paused = pause(agents, config, tmp_path, threads)
    straight = outcome(paused.agent, paused.games)
    assert straight == resumed(agents, paused, config=config, threads=threads)


def test_a_repeated_exploratory_action_continues_after_resuming(agents, tmp_path):
    config = replace(TINY, exploration_apex_base=0.9, exploration_action_repeat=16)
    paused = pause(agents, config, tmp_path)
    straight = outcome(paused.agent, paused.games)
    assert straight == resumed(agents, paused, config=config)


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_entry_of_the_state_is_necessary(agents, paused, entry):
    straight = outcome(paused.agent, paused.games)
    assert straight != resumed(agents, paused, without=entry)


@pytest.mark.parametrize("entry", OPTIONAL)
def test_every_entry_that_options_add_is_necessary(agents, tmp_path, entry):
    config = replace(TINY, **OPTIONS)
    paused = pause(agents, config, tmp_path)
    straight = outcome(paused.agent, paused.games)
    assert straight != resumed(agents, paused, without=entry, config=config)


@pytest.mark.parametrize(("change", "entries"), [({}, ENTRIES), (OPTIONS, ENTRIES + OPTIONAL)])
def test_every_entry_of_the_state_was_tested(agents, change, entries):
    state = agents(replace(TINY, **change)).state_dict()
    parts = {name for name, part in state.items() if part is not None}
    assert {entry.split("/")[0] for entry in entries} == parts
    kept = {entry.split("/")[1] for entry in entries if entry.startswith("replay/")}
    assert kept == set(state["replay"])
