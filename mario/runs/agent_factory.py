"""Makes agents, by name, for the environments that they are to play."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from agents import Agent, AgentConfig, AgentSpec
from mario.config.agent_names import AGENTS, check_agent
from mario.errors import UsageError
from mario.system.plugins import load_class
from mario.system.tuning import tune_process
from mario.vector.base import GameVectorEnv


def agent_class(name: str) -> type[Agent]:
    """Return the class of an agent.

    Args:
        name: A key of `mario.config.agent_names.AGENTS`, or ``module:Class`` for an agent of your
            own.

    Raises:
        UsageError: There is no such agent.
    """
    check_agent(name)
    return load_class("--agent", AGENTS.get(name, name), Agent)  # type: ignore[type-abstract]


def agent_reference(agent: str | type[Agent]) -> str:
    """Return the name under which an agent is saved in configurations and checkpoints.

    Args:
        agent: A name as in `agent_class`, or the class itself.

    >>> from agents import PPO
    >>> agent_reference(PPO)
    'ppo'
    """
    if isinstance(agent, str):
        return agent
    reference = f"{agent.__module__}:{agent.__qualname__}"
    return next((name for name, known in AGENTS.items() if known == reference), reference)


def is_kind_of(kind: type[Agent], name: str) -> bool:
    """Return whether a class is one of `AGENTS` or its subclass, and so has its hyperparameters.

    Args:
        kind: a class of agents.
        name: a key of `AGENTS`.
    """
    return issubclass(kind, agent_class(name))


def make_agent(
    agent: str | type[Agent],
    env: gym.Env[Any, Any] | GameVectorEnv,
    hyper: AgentConfig | None = None,
    *,
    device: str = "cpu",
    seed: int = 0,
    folder: Path | None = None,
    training: bool = True,
    threads: int = 1,
) -> Agent:
    """Make an agent for an environment.

    Args:
        agent: ``"ddqn"``, ``"ppo"``, ``"reinforce"``, ``"module:Class"``, or a class of agents.
        env: The environment, single or a vector.
        hyper: Hyperparameters, an instance of the agent's ``Config``; None for its defaults.
        device: See `resolve_device`.
        seed: Seed of the agent's random numbers.
        folder: Folder for data that the agent keeps on disk.
        training: False for an agent that only plays.
        threads: Number of threads for the network. Torch's own thread pool is set to one thread:
            its threads wait for each other so often that games on the same cores slow them down
            many times.

    Raises:
        UsageError: The agent does not support the environment, or the device is missing.
    """
    state_shape, num_actions, num_envs = env_dimensions(env)
    spec = AgentSpec(
        state_shape=state_shape,
        num_actions=num_actions,
        num_envs=num_envs,
        device=resolve_device(device),
        seed=seed,
        folder=folder,
        training=training,
        threads=threads,
    )
    return build_agent(agent, hyper, spec)


def build_agent(agent: str | type[Agent], hyper: AgentConfig | None, spec: AgentSpec) -> Agent:
    """Make an agent for a spec; see `make_agent`.

    Raises:
        UsageError: The hyperparameters do not fit the spec.
    """
    tune_process()
    kind = agent_class(agent) if isinstance(agent, str) else agent
    hyper = kind.Config() if hyper is None else hyper
    _check_finite(hyper)
    try:
        return kind.build(spec, hyper)
    except ValueError as error:
        raise UsageError(str(error)) from None


def resolve_device(name: str) -> str:
    """Return the torch device for a name.

    Args:
        name: ``"cpu"``, ``"cuda"``, ``"mps"`` (the GPU of Apple's processors), or ``"auto"`` for a
            GPU if there is one.

    Raises:
        UsageError: A GPU is requested, but there is none.
    """
    gpus: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
    }
    if name == "auto":
        return next((gpu for gpu, is_available in gpus.items() if is_available()), "cpu")
    if name in gpus and not gpus[name]():
        raise UsageError(f"--device {name}: torch finds no such GPU; use --device cpu")
    return name


def _check_finite(hyper: AgentConfig) -> None:
    """Check that no hyperparameter is NaN or infinite."""
    for name, value in vars(hyper).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"--hyper.{name.replace('_', '-')} must be finite, got {value}")


def env_dimensions(env: gym.Env[Any, Any] | GameVectorEnv) -> tuple[tuple[int, ...], int, int]:
    """Return the shape of a state, the number of actions and the number of environments."""
    if isinstance(env, GameVectorEnv):
        observation_space, action_space = env.single_observation_space, env.single_action_space
        num_envs = env.num_envs
    else:
        observation_space, action_space, num_envs = env.observation_space, env.action_space, 1
    if not isinstance(action_space, gym.spaces.Discrete) or observation_space.shape is None:
        raise UsageError(f"agents need discrete actions; this game has {action_space}")
    if observation_space.dtype != np.uint8:
        raise UsageError(f"agents need uint8 observations; this game has {observation_space}")
    return observation_space.shape, int(action_space.n), num_envs
