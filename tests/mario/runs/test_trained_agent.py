"""An agent loaded from a checkpoint acts like the agent that was saved."""

from __future__ import annotations

import resource

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents import DDQN, AgentSpec, DDQNConfig
from mario.config.serialization import to_dict
from mario.errors import UsageError
from mario.evaluation.evaluate import evaluate_agent
from mario.playback.recording import record_episode
from mario.runs.checkpoint import FORMAT, save
from mario.runs.file_kind import CheckpointError
from mario.runs.trained_agent import load_agent
from wrappers import WrapperConfig

SHAPE = (2, 36, 36)


class Spaces(gym.Env):
    """A game that only has spaces."""

    observation_space = gym.spaces.Box(0, 255, SHAPE, np.uint8)
    action_space = gym.spaces.Discrete(3)


def save_agent(path, hyper, weights, **more):
    content = {
        "format": FORMAT, "model": weights, "exploration_rate": 0.5, "agent": "ddqn",
        "hyper": hyper, "game": "SuperMarioBros-1-1-v0", "actions": "simple",
        "wrappers": to_dict(WrapperConfig(size=36, stack=2)), "start_curriculum": {},
        "ending_reward": {}, "emulator": "nes-py", "state_shape": list(SHAPE),
        "num_actions": 3, "steps": 10, "episodes": 1, "seed": 0, "versions": {},
    }  # fmt: skip
    save(path, content | more)
    return path


@pytest.mark.parametrize(
    "options",
    [{}, {"dueling": True}, {"separate_target": True}, {"priority_alpha": 0.6, "random_shift": 4}],
)
def test_a_loaded_agent_acts_like_the_saved_one(tmp_path, options):
    config = DDQNConfig(hidden_size=8, **options)
    original = DDQN.build(AgentSpec(SHAPE, num_actions=3, seed=3, training=False), config)
    path = save_agent(tmp_path / "a.chkpt", to_dict(config), original.policy_state_dict())
    agent = load_agent(path).make_agent(Spaces())
    states = torch.randint(0, 256, (8, *SHAPE), dtype=torch.uint8)
    assert torch.equal(agent.network.online(states), original.network.online(states))
    np.testing.assert_array_equal(agent.act(states.numpy()), original.act(states.numpy()))


def test_a_game_with_other_actions_is_refused_with_the_game_of_the_training(tmp_path):
    weights = DDQN.build(AgentSpec(SHAPE, num_actions=3, training=False), DDQNConfig(hidden_size=8))
    path = save_agent(tmp_path / "a.chkpt", {"hidden_size": 8}, weights.policy_state_dict())
    trained = load_agent(path, game="PongNoFrameskip-v4")
    message = (
        "was trained on SuperMarioBros-1-1-v0 with 3 actions and cannot play PongNoFrameskip-v4 "
        ".*; omit game to play SuperMarioBros-1-1-v0$"
    )
    with pytest.raises(UsageError, match=message):
        trained.make_env()
    with pytest.raises(UsageError, match=message):
        trained.make_vector_env(episodes=1)


def test_an_evaluation_needs_an_episode(tmp_path):
    weights = DDQN.build(AgentSpec(SHAPE, num_actions=3, training=False), DDQNConfig(hidden_size=8))
    path = save_agent(tmp_path / "a.chkpt", {"hidden_size": 8}, weights.policy_state_dict())
    with pytest.raises(UsageError, match="episodes must be at least 1, got 0"):
        evaluate_agent(load_agent(path), episodes=0)


@pytest.mark.parametrize("use", [evaluate_agent, record_episode])
def test_a_path_in_place_of_a_trained_agent_is_refused(use):
    with pytest.raises(UsageError, match="'x.chkpt'; give what mario.load_agent returns"):
        use("x.chkpt")


def test_options_that_are_missing_in_an_old_file_have_their_defaults(tmp_path):
    config = DDQNConfig(hidden_size=8)
    original = DDQN.build(AgentSpec(SHAPE, num_actions=3, training=False), config)
    older = {name: value for name, value in to_dict(config).items() if name != "dueling"}
    trained = load_agent(save_agent(tmp_path / "a.chkpt", older, original.policy_state_dict()))
    assert trained.hyper == config


@pytest.mark.parametrize(
    ("evaluation", "epsilon"), [(None, 0.0), ({}, 0.0), ({"epsilon": 0.01}, 0.01)]
)
def test_epsilon_is_that_of_the_evaluations_during_training(tmp_path, evaluation, epsilon):
    config = DDQNConfig(hidden_size=8)
    original = DDQN.build(AgentSpec(SHAPE, num_actions=3, training=False), config)
    path = save_agent(
        tmp_path / "a.chkpt", to_dict(config), original.policy_state_dict(), evaluation=evaluation
    )
    assert load_agent(path).epsilon == epsilon


def test_weights_of_another_architecture_are_refused(tmp_path):
    config = DDQNConfig(hidden_size=8)
    original = DDQN.build(AgentSpec(SHAPE, num_actions=3, training=False), config)
    hyper = to_dict(DDQNConfig(hidden_size=8, dueling=True))
    path = save_agent(tmp_path / "a.chkpt", hyper, original.policy_state_dict())
    with pytest.raises(CheckpointError, match="does not fit its agent: weights have online_head"):
        load_agent(path).make_agent(Spaces())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hyper": {"hidden_size": 10**12}}, "is refused: hidden_size .* at most 16,384"),
        ({"hyper": {"hidden_size": 16_384}}, "does not fit its agent: weights have"),
        ({"num_actions": 10**9}, "does not fit its agent: weights have"),
        (
            {"state_shape": [255, 1024, 1024]},
            r"states of shape \(2, 36, 36\), but",
        ),
        (
            {
                "state_shape": [255, 1024, 1024],
                "wrappers": to_dict(WrapperConfig(size=1024, stack=255)),
            },
            "does not fit its agent: weights have",
        ),
        ({"wrappers": to_dict(WrapperConfig()) | {"size": 10**6}}, "size must be at most 1,024"),
        ({"wrappers": to_dict(WrapperConfig()) | {"stack": 10**9}}, "stack must be at most 255"),
    ],
)
def test_a_file_that_asks_for_a_larger_network_is_refused_before_it_is_built(
    tmp_path, changes, message
):
    changes = dict(changes)
    config = DDQNConfig(hidden_size=8)
    agent = DDQN.build(AgentSpec(SHAPE, num_actions=3, training=False), config)
    hyper = changes.pop("hyper", to_dict(config))
    path = save_agent(tmp_path / "a.chkpt", hyper, agent.policy_state_dict(), **changes)
    before = peak_memory()
    with pytest.raises(CheckpointError, match=message):
        load_agent(path)
    assert peak_memory() - before < 2**27


def peak_memory():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_hyperparameters_that_are_not_finite_are_refused(tmp_path, value):
    config = DDQNConfig(hidden_size=8)
    agent = DDQN.build(AgentSpec(SHAPE, num_actions=3, training=False), config)
    hyper = to_dict(config) | {"adam_epsilon": value}
    path = save_agent(tmp_path / "a.chkpt", hyper, agent.policy_state_dict())
    with pytest.raises(CheckpointError, match="adam_epsilon is (nan|inf); give"):
        load_agent(path)
