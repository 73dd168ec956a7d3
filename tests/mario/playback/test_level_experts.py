"""Checkpoints that play together are adapted to each other, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from agents.networks.q_network import QNetwork, without_target
from mario.errors import UsageError
from mario.games.actions import action_masks
from mario.playback.level_experts import open_experts
from mario.runs.checkpoint import FORMAT, save


@pytest.fixture
def write(tmp_path):
    """A function that writes the checkpoint of an untrained agent and returns its path."""

    def write(name, *, level="1-1", look=0, actions="tutorial", stack=4, **changes):
        count = len(action_masks(actions or "simple"))
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = QNetwork((stack, 84, 84), count)
        base = {
            "format": FORMAT, "exploration_rate": 0.1,
            "model": without_target(network.state_dict()),
            "agent": "ddqn", "hyper": {}, "game": f"SuperMarioBros-{level}-v{look}",
            "actions": actions, "wrappers": {"stack": stack} | changes.pop("wrappers", {}),
            "start_curriculum": {}, "ending_reward": {},
            "emulator": "nes-py", "state_shape": [stack, 84, 84], "num_actions": count,
            "steps": 10, "episodes": 1, "seed": 0, "versions": {},
        }  # fmt: skip
        save(tmp_path / name, base | changes)
        return tmp_path / name

    return write


@pytest.mark.parametrize("look", [0, 1])
def test_experts_play_the_full_game_in_their_graphics(write, look):
    experts = open_experts([write("a", look=look), write("b", level="1-2", look=look)])
    assert experts.game == f"SuperMarioBros-v{look}"


def test_another_game_can_be_chosen(write):
    paths = [write("a"), write("b", level="1-2")]
    assert open_experts(paths, game="SuperMarioBros-1-3-v0").game == "SuperMarioBros-1-3-v0"


def test_the_game_has_the_actions_of_all_experts_and_each_uses_its_own(write):
    paths = [write("a", actions="tutorial"), write("b", level="1-2", actions=None)]
    experts = open_experts(paths)
    env = experts.make_env("auto")
    names = env.get_wrapper_attr("action_names")
    assert names == ("right", "right+A", "NOOP", "right+B", "right+A+B", "A", "left")
    agent = experts.make_agent(env)
    state, _ = env.reset(seed=0)
    action_values = agent.action_values(state[None])
    assert np.isfinite(action_values).tolist() == [[True] * 2 + [False] * 5]
    assert agent.act(state[None]) == np.nanargmax(action_values)
    assert env.level == "1-1"
    env.close()


def test_one_expert_may_be_trained_on_the_full_game(write):
    generalist = write("all", game="SuperMarioBros-v0")
    assert open_experts([generalist, write("a")]).game == "SuperMarioBros-v0"


def test_settings_that_do_not_affect_observations_may_differ(write):
    changes = {"noop_max": 30, "reward_scale": 0.1}
    open_experts([write("a"), write("b", level="1-2", wrappers=changes)])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({}, "a and .*b were both trained on SuperMarioBros-1-1-v0; give one of them"),
        (
            {"level": "1-2", "stack": 3},
            "a was trained with stack 4, .*b with 3; give checkpoints with",
        ),
        (
            {"level": "1-2", "wrappers": {"skip": 2}},
            "with skip 4, .*b with 2; give checkpoints with",
        ),
        ({"level": "1-2", "look": 1}, "with look vanilla, .*b with downsample; give checkpoints"),
        ({"game": "Tetris-v0"}, "b was trained on Tetris-v0, which has no levels of Super Mario"),
    ],
)
def test_checkpoints_that_do_not_fit_together_are_refused(write, other, message):
    with pytest.raises(UsageError, match=message):
        open_experts([write("a"), write("b", **other)])


def test_a_missing_checkpoint_is_refused(write):
    with pytest.raises(UsageError, match="checkpoint nowhere does not exist"):
        open_experts([write("a"), Path("nowhere")])
