"""Making agents for environments."""

from __future__ import annotations

import math
from dataclasses import dataclass

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents import DDQN, Agent, AgentConfig
from mario.config.env_config import EnvConfig
from mario.errors import UsageError
from mario.playback.watch import watch_episode
from mario.runs.agent_factory import agent_class, make_agent, resolve_device
from mario.vector.make import make_env
from wrappers import WrapperConfig

GAME = "SuperMarioBros-1-1-v0"


def test_an_agent_fits_its_environment():
    env = make_env(EnvConfig(GAME, "complex", wrappers=WrapperConfig(size=48, stack=3)))
    agent = make_agent("ddqn", env, training=False)
    assert isinstance(agent, DDQN)
    assert agent.spec.state_shape == (3, 48, 48)
    assert agent.spec.num_actions == 12
    env.close()


def test_an_episode_is_the_same_for_the_same_seed():
    env = make_env(EnvConfig(GAME, "simple", wrappers=WrapperConfig(noop_max=30)))
    agent = make_agent("ddqn", env, training=False)
    episodes = [watch_episode(agent, env, seed=seed, epsilon=1.0) for seed in (4, 4, 5)]
    assert episodes[0] == episodes[1]
    assert episodes[0] != episodes[2]
    assert episodes[0].ending
    env.close()


def test_an_environment_without_discrete_actions_is_refused():
    env = gym.make("Pendulum-v1")
    with pytest.raises(UsageError, match="agents need discrete actions; this game has Box"):
        make_agent("ddqn", env)
    env.close()


def test_observations_that_are_not_uint8_are_refused():
    class FloatGame(gym.Env):
        observation_space = gym.spaces.Box(0, 1, (4, 84, 84), np.float32)
        action_space = gym.spaces.Discrete(2)

    with pytest.raises(UsageError, match="agents need uint8 observations; this game has Box"):
        make_agent("ddqn", FloatGame())


def test_hyperparameters_of_an_own_agent_must_be_finite():
    @dataclass(frozen=True)
    class Config(AgentConfig):
        step_size: float = math.nan

    with pytest.raises(UsageError, match="hyper.step_size must be finite, got nan"):
        make_agent("ddqn", make_env(EnvConfig("Tetris-v0")), Config())


def test_observations_too_small_for_the_network_are_a_usage_error():
    env = make_env(EnvConfig(GAME, "simple", wrappers=WrapperConfig(size=20)))
    with pytest.raises(UsageError, match="state_shape is"):
        make_agent("ddqn", env, training=False)
    env.close()


def test_devices_are_found_or_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == "cpu"
    for gpu in ("cuda", "mps"):
        with pytest.raises(UsageError, match=f"device {gpu}: torch finds no such GPU; use"):
            resolve_device(gpu)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert resolve_device("auto") == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == "cuda"


def test_agents_are_found_by_name_and_by_module(tmp_path, monkeypatch):
    assert agent_class("ddqn") is DDQN
    (tmp_path / "my_own_agent.py").write_text(
        "from agents import DDQN\nclass Mine(DDQN): pass\nx = 3"
    )
    monkeypatch.chdir(tmp_path)
    assert issubclass(agent_class("my_own_agent:Mine"), Agent)
    with pytest.raises(UsageError, match="my_own_agent has no 'Yours'"):
        agent_class("my_own_agent:Yours")
    with pytest.raises(UsageError, match="x is not a subclass of agents.Agent"):
        agent_class("my_own_agent:x")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dqn", "unknown agent 'dqn'; did you mean 'ddqn'"),
        ("nowhere:A", "there is no module 'nowhere'"),
    ],
)
def test_an_unknown_agent_is_reported(name, message):
    with pytest.raises(UsageError, match=message):
        agent_class(name)
