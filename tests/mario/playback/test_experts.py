"""Checkpoints that play together are made to fit each other, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from agents.networks.q_network import QNetwork
from mario.errors import UsageError
from mario.games.actions import action_masks
from mario.playback.experts import open_team
from mario.runs.checkpoint import FORMAT, save


@pytest.fixture
def write(tmp_path):
    """Writes the checkpoint of an untrained agent of a level; gives its path."""

    def write(name, *, level="1-1", look=0, actions="tutorial", stack=4, **changes):
        count = len(action_masks(actions or "simple"))
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = QNetwork((stack, 84, 84), count)
        base = {
            "format": FORMAT, "model": dict(network.state_dict()), "exploration_rate": 0.1,
            "agent": "ddqn", "hyper": {}, "game": f"SuperMarioBros-{level}-v{look}",
            "actions": actions, "wrappers": {"stack": stack} | changes.pop("wrappers", {}),
            "emulator": "nes-py", "state_shape": [stack, 84, 84], "num_actions": count,
            "steps": 10, "episodes": 1, "seed": 0, "versions": {},
        }  # fmt: skip
        save(tmp_path / name, base | changes)
        return tmp_path / name

    return write


@pytest.mark.parametrize("look", [0, 1])
def test_they_play_the_whole_game_as_it_looks_to_them(write, look):
    team = open_team([write("a", look=look), write("b", level="1-2", look=look)])
    assert team.game == f"SuperMarioBros-v{look}"


def test_another_game_can_be_chosen(write):
    paths = [write("a"), write("b", level="1-2")]
    assert open_team(paths, game="SuperMarioBros-1-3-v0").game == "SuperMarioBros-1-3-v0"


def test_the_game_has_the_actions_of_all_and_each_plays_its_own(write):
    paths = [write("a", actions="tutorial"), write("b", level="1-2", actions=None)]
    team = open_team(paths)
    env = team.make_env("auto")
    names = env.get_wrapper_attr("action_names")
    assert names == ("right", "right+A", "NOOP", "right+B", "right+A+B", "A", "left")
    agent = team.make_agent(env)
    state, _ = env.reset(seed=0)
    rating = agent.action_values(state[None])
    assert np.isfinite(rating).tolist() == [[True] * 2 + [False] * 5]
    assert agent.act(state[None]) == np.nanargmax(rating)
    assert env.level == "1-1"
    env.close()


def test_an_agent_of_the_whole_game_may_be_among_them(write):
    everywhere = write("all", game="SuperMarioBros-v0")
    assert open_team([everywhere, write("a")]).game == "SuperMarioBros-v0"


def test_what_changes_nothing_that_is_seen_may_differ(write):
    rewarded = {"noops": 30, "reward_scale": 0.1}
    open_team([write("a"), write("b", level="1-2", wrappers=rewarded)])


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        ({}, "a and .*b were trained on the same, SuperMarioBros-1-1-v0; give one of them"),
        ({"level": "1-2", "stack": 3}, "a was trained with stack 4, .*b with 3; agents that play"),
        ({"level": "1-2", "wrappers": {"skip": 2}}, "with skip 4, .*b with 2; agents that play to"),
        ({"level": "1-2", "look": 1}, "with look vanilla, .*b with downsample; agents that play"),
        ({"game": "Tetris-v0"}, "b was trained on Tetris-v0, which has no levels of Super Mario"),
    ],
)
def test_those_that_do_not_go_together_are_refused(write, other, complaint):
    with pytest.raises(UsageError, match=complaint):
        open_team([write("a"), write("b", **other)])


def test_each_file_must_be_a_checkpoint(write):
    with pytest.raises(UsageError, match="checkpoint nowhere does not exist"):
        open_team([write("a"), Path("nowhere")])
