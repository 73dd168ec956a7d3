"""Builds the environments and the agent of a worker."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import numpy as np
from torch import nn

from agents import Agent, AgentSpec, Learner
from mario.cluster.workers.messages import WorkerSetup
from mario.errors import UsageError
from mario.runs.agent_factory import build_agent, env_dimensions
from mario.training.noise import ActionNoise
from mario.vector.backend import EpisodeOptions
from mario.vector.base import GameVectorEnv
from mario.vector.make import vector_env_class
from mario.vector.seeding import episode_seed

EPISODES_PER_LIFE = 2**20
"""Offset of the episodes of a replacement, so that it does not repeat those of its predecessor."""


def make_envs(setup: WorkerSetup) -> GameVectorEnv:
    """Make the environments of a worker, which are a part of those of the run."""
    seeds = partial(_episode_seed, setup.worker * setup.num_envs, setup.life)
    options = EpisodeOptions(setup.seed, seeds)
    return vector_env_class(setup.env_config).create(setup.env_config, setup.num_envs, options)


def make_worker_agent(setup: WorkerSetup, envs: GameVectorEnv) -> Agent:
    """Make the agent of a worker."""
    state_shape, num_actions, num_envs = env_dimensions(envs)
    spec = AgentSpec(
        state_shape, num_actions, num_envs,
        seed=_worker_seed(setup), folder=_own_folder(setup), threads=setup.threads,
        worker=setup.worker, num_workers=setup.num_workers,
    )  # fmt: skip
    return build_agent(setup.agent, setup.hyper, spec)


def make_noise(setup: WorkerSetup, agent: Agent) -> ActionNoise | None:
    """Make what disturbs the actions in the environments of a worker, None if nothing does."""
    if not setup.noise:
        return None
    first_env, rates = setup.worker * setup.num_envs, setup.noise
    own = [rates[(first_env + index) % len(rates)] for index in range(setup.num_envs)]
    return ActionNoise(own, setup.num_envs, agent.spec.num_actions, _worker_seed(setup))


def find_learner(agent: Agent) -> Learner[nn.Module]:
    """Return the learner of an agent.

    Raises:
        UsageError: the agent has none.
    """
    for value in vars(agent).values():
        if isinstance(value, Learner):
            return value
    raise UsageError(
        f"--cluster needs an agent that learns with agents.Learner; {type(agent).__name__} has none"
    )


def module_names(agent: Agent) -> list[str]:
    """Return the names of the modules in the state of an agent."""
    return [name.lstrip("_") for name, value in vars(agent).items() if isinstance(value, nn.Module)]


def _worker_seed(setup: WorkerSetup) -> int:
    """Return the seed of a worker. Worker 0 has that of a run without a cluster."""
    if not (setup.worker or setup.life):
        return setup.seed
    numbers = (setup.seed, setup.worker, setup.life)
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _own_folder(setup: WorkerSetup) -> Path:
    """Return the worker's folder, after removing those of its predecessors on this machine."""
    for life in range(setup.life):
        shutil.rmtree(setup.folder / f"worker-{setup.worker}.{life}", ignore_errors=True)
    return setup.folder / f"worker-{setup.worker}.{setup.life}"


def _episode_seed(first_env: int, life: int, seed: int, env_index: int, episode: int) -> int:
    return episode_seed(seed, first_env + env_index, episode + life * EPISODES_PER_LIFE)
