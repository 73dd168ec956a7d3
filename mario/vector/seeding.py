"""Seeds of episodes, which depend only on the episode's index, so that it can be replayed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count

import numpy as np

from wrappers.noop_reset import sample_noops

SeedFunction = Callable[[int, int, int], int]
"""Returns the seed of an episode; takes the arguments of `episode_seed`."""


def episode_seed(seed: int, env_index: int, episode: int) -> int:
    """Return the seed of an episode.

    Args:
        seed: Seed of the run.
        env_index: Index of the environment.
        episode: Index of the episode in that environment.

    >>> episode_seed(0, 1, 2) == episode_seed(0, 1, 2) != episode_seed(0, 2, 1)
    True
    """
    return _hash(seed, env_index, episode)


def stratified_seeds(num_envs: int, noop_max: int, first: int = 0) -> SeedFunction:
    """Return a function for seeds with which `wrappers.NoopReset` draws each number equally often.

    In a deterministic game there are only ``noop_max + 1`` different episodes. Random seeds miss
    some of them, and the agent selected as the best might fail on those.

    Args:
        num_envs: Number of environments. The set of seeds does not depend on it.
        noop_max: Maximum number of no-op frames.
        first: Number of episodes of the same set that other environments play.

    >>> seed_function = stratified_seeds(num_envs=2, noop_max=2)
    >>> [sample_noops(seed_function(0, env, episode), 2) for episode in (0, 1) for env in (0, 1)]
    [0, 1, 2, 0]
    """
    return partial(_stratified_seed, num_envs, noop_max, first)


def _stratified_seed(
    num_envs: int, noop_max: int, first: int, seed: int, env_index: int, episode: int
) -> int:
    """Return the first seed of the episode that draws the number of no-op frames due next."""
    index = first + episode * num_envs + env_index
    noops = (seed + index) % (noop_max + 1)
    candidates = (_hash(seed, index, trial) for trial in count())
    return next(each for each in candidates if sample_noops(each, noop_max) == noops)


def _hash(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
