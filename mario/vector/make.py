"""Makes environments from a configuration, single ones and vectors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from importlib.util import find_spec

from mario.config.env_config import EnvConfig
from mario.errors import UsageError
from mario.games.registry import ATARI, MARIO, find_game
from mario.games.starts.demonstration_starts import DemonstrationStarts
from mario.system.limits import allow_files, available_memory
from mario.vector.backend import BackendVectorEnv, EpisodeOptions
from mario.vector.base import GameVectorEnv
from mario.vector.env import make_env
from mario.vector.process_vector import ProcessVectorEnv
from mario.vector.seeding import SeedFunction, episode_seed, stratified_seeds

OBSERVATIONS_PER_ENV = 8
"""Copies of an observation of each environment that are alive at the same time, at most."""
OTHER_FILES = 64
"""Files that the rest of the program has open, at most."""

__all__ = ["make_env", "make_vector_env", "preferred_num_envs", "slow_reason", "vector_env_class"]

NATIVE = "mario.games._native"
"""The compiled extension that `NativeMarioVectorEnv` needs."""


def make_vector_env(
    config: EnvConfig,
    *,
    num_envs: int,
    seed: int,
    stratified_episodes: int | None = None,
    noop_min: int = 0,
    report: Callable[[str], None] = print,
    starts: DemonstrationStarts | None = None,
) -> GameVectorEnv:
    """Make several environments of one configuration that are stepped together.

    Args:
        config: The configuration of each environment.
        num_envs: Number of environments.
        seed: Seed of the run, from which the seed of each episode is derived.
        stratified_episodes: Number of episodes of an evaluation, over which the numbers of no-op
            frames are spread evenly; they are the same episodes for any ``num_envs``. None for
            random numbers. Atari games in ALE's own threads draw their no-op frames themselves.
        noop_min: Smallest number of no-op frames of an evaluation.
        report: Receives one line for each environment that crashes.
        starts: Draws episodes that start on demonstrations, which only NES games support; None if
            there are none.

    Raises:
        UsageError: The game is unknown, does not fit the wrappers, or the machine has too little
            memory or too few files for ``num_envs``.
    """
    noop_max = config.wrappers.noop_max
    if noop_min and find_game(config.game).entry_point == ATARI:
        raise UsageError(f"--noop-min {noop_min} has no effect on Atari games; omit it")
    kind = vector_env_class(config)
    _check_resources(kind, config, num_envs)
    seed_function: SeedFunction = episode_seed
    if stratified_episodes is not None:
        seed_function = stratified_seeds(num_envs, (noop_min, noop_max), stratified_episodes)
    return kind.create(config, num_envs, EpisodeOptions(seed, seed_function, report, starts))


def preferred_num_envs(config: EnvConfig) -> int:
    """Return how many environments run fastest when no agent learns at the same time.

    >>> preferred_num_envs(EnvConfig("Tetris-v0"))
    2
    """
    return vector_env_class(config).preferred_num_envs(config)


def vector_env_class(config: EnvConfig) -> type[BackendVectorEnv]:
    """Return the fastest class that supports a configuration."""
    return next(kind for kind in _vector_env_classes() if kind.limitation(config) is None)


def slow_reason(config: EnvConfig) -> str | None:
    """Return why the environments of a configuration run in processes, or None if they do not.

    Processes are several times slower than compiled environments, so users should know the reason.

    >>> slow_reason(EnvConfig("Tetris-v0"))
    'Tetris-v0 has no compiled environment'
    >>> slow_reason(EnvConfig("ALE/Pong-v5", emulator="nes-py"))
    '--emulator is nes-py'
    """
    if vector_env_class(config) is not ProcessVectorEnv:
        return None
    if find_spec(NATIVE) is None:
        return "the compiled extensions are not built"
    entry_point = find_game(config.game).entry_point
    for kind, built_in in zip(_vector_env_classes(), (MARIO, ATARI), strict=False):
        if entry_point == built_in and ":" not in config.game:
            return kind.limitation(config)
    return f"{config.game} has no compiled environment"


def _check_resources(kind: type[BackendVectorEnv], config: EnvConfig, num_envs: int) -> None:
    """Check that environments fit into memory and into the limit of open files.

    Raises:
        UsageError: They do not. The message says how many do.
    """
    observation = math.prod(config.wrappers.observation_shape)
    bytes_per_env = kind.bytes_per_env + OBSERVATIONS_PER_ENV * observation
    memory = available_memory()
    if memory is not None and num_envs * bytes_per_env > memory:
        raise UsageError(
            f"--num-envs {num_envs} needs about {num_envs * bytes_per_env / 1e9:.1f} GB of memory, "
            f"{memory / 1e9:.1f} GB are available; use at most {memory // bytes_per_env}"
        )
    if not kind.files_per_env:
        return
    files = allow_files(OTHER_FILES + num_envs * kind.files_per_env)
    if files < OTHER_FILES + num_envs * kind.files_per_env:
        most = max(1, (files - OTHER_FILES) // kind.files_per_env)
        raise UsageError(
            f"--num-envs {num_envs} needs more open files than the limit of {files}; raise it with "
            f"'ulimit -n', or use at most {most}"
        )


def _vector_env_classes() -> Iterator[type[BackendVectorEnv]]:
    """Yield the available classes, the fastest first. Each is imported only when it is needed."""
    if find_spec(NATIVE) is not None:
        from mario.vector.native_mario import NativeMarioVectorEnv

        yield NativeMarioVectorEnv
    from mario.vector.atari import AtariVectorEnv

    yield AtariVectorEnv
    yield ProcessVectorEnv
