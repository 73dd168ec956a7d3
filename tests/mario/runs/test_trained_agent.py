"""An agent out of a file is the agent that was saved."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents import DDQN, AgentSpec, DDQNConfig
from mario.config.serialization import to_dict
from mario.runs.checkpoint import CheckpointError, save
from mario.runs.trained_agent import open_agent
from wrappers import WrapperConfig

SHAPE = (2, 36, 36)


class Still(gym.Env):
    """A game that only says what it looks like."""

    observation_space = gym.spaces.Box(0, 255, SHAPE, np.uint8)
    action_space = gym.spaces.Discrete(3)


def saved(path, hyper, weights, **more):
    content = {
        "format": 1, "model": weights, "exploration_rate": 0.5, "agent": "ddqn",
        "hyper": hyper, "game": "SuperMarioBros-1-1-v0", "actions": "simple",
        "wrappers": to_dict(WrapperConfig()), "emulator": "nes-py", "state_shape": list(SHAPE),
        "num_actions": 3, "steps": 10, "episodes": 1, "seed": 0, "versions": {},
    }  # fmt: skip
    save(path, content | more)
    return path


@pytest.mark.parametrize(
    "options",
    [{}, {"dueling": True}, {"separate_target": True}, {"priority_alpha": 0.6, "shift": 4}],
)
def test_it_acts_as_the_one_that_was_saved(tmp_path, options):
    config = DDQNConfig(hidden_size=8, **options)
    maker = DDQN.build(AgentSpec(SHAPE, num_actions=3, seed=3, training=False), config)
    path = saved(tmp_path / "a.chkpt", to_dict(config), maker.policy_state_dict())
    agent = open_agent(path).make_agent(Still())
    states = torch.randint(0, 256, (8, *SHAPE), dtype=torch.uint8)
    assert torch.equal(agent.network.online(states), maker.network.online(states))
    np.testing.assert_array_equal(agent.act(states.numpy()), maker.act(states.numpy()))


def test_options_that_are_newer_than_a_file_are_off(tmp_path):
    config = DDQNConfig(hidden_size=8)
    maker = DDQN.build(AgentSpec(SHAPE, num_actions=3, training=False), config)
    older = {name: value for name, value in to_dict(config).items() if name != "dueling"}
    trained = open_agent(saved(tmp_path / "a.chkpt", older, maker.policy_state_dict()))
    assert trained.hyper == config


@pytest.mark.parametrize(
    ("evaluation", "epsilon"), [(None, 0.0), ({}, 0.0), ({"epsilon": 0.01}, 0.01)]
)
def test_it_is_examined_as_it_was_while_it_learned(tmp_path, evaluation, epsilon):
    config = DDQNConfig(hidden_size=8)
    maker = DDQN.build(AgentSpec(SHAPE, num_actions=3, training=False), config)
    path = saved(
        tmp_path / "a.chkpt", to_dict(config), maker.policy_state_dict(), evaluation=evaluation
    )
    assert open_agent(path).epsilon == epsilon


def test_weights_of_another_head_are_refused(tmp_path):
    config = DDQNConfig(hidden_size=8)
    maker = DDQN.build(AgentSpec(SHAPE, num_actions=3, training=False), config)
    hyper = to_dict(DDQNConfig(hidden_size=8, dueling=True))
    path = saved(tmp_path / "a.chkpt", hyper, maker.policy_state_dict())
    with pytest.raises(CheckpointError, match="does not fit its agent: weights have online_head"):
        open_agent(path).make_agent(Still())
