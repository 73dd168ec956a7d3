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


def stratified_seeds(
    num_envs: int, noop_range: tuple[int, int], episodes: int, first: int = 0
) -> SeedFunction:
    """Return a function for seeds with which `wrappers.NoopReset` draws each number equally often.

    In a deterministic game there are only as many different episodes as numbers of no-op frames.
    Random seeds miss some of them, and the agent selected as the best might fail on those. With
    fewer episodes than numbers, those that are drawn are spread evenly over the range.

    Args:
        num_envs: Number of environments. The set of seeds does not depend on it.
        noop_range: Smallest and largest number of no-op frames. The latter is the maximum of
            `wrappers.NoopReset`.
        episodes: Number of episodes of the set.
        first: Number of episodes of the set that other environments play.

    >>> seed_function = stratified_seeds(2, (0, 2), episodes=4)
    >>> [sample_noops(seed_function(0, env, episode), 2) for episode in (0, 1) for env in (0, 1)]
    [0, 1, 2, 0]
    >>> seed_function = stratified_seeds(1, (100, 199), episodes=4)
    >>> [sample_noops(seed_function(0, 0, episode), 199) for episode in range(4)]
    [100, 125, 150, 175]
    """
    return partial(_stratified_seed, num_envs, noop_range, episodes, first)


def _stratified_seed(
    num_envs: int, noop_range: tuple[int, int], episodes: int, first: int,
    seed: int, env_index: int, episode: int,
) -> int:  # fmt: skip
    """Return the first seed of the episode that draws the number of no-op frames due next."""
    noop_min, noop_max = noop_range
    num_starts = noop_max - noop_min + 1
    index = first + episode * num_envs + env_index
    # With fewer episodes than starts, each episode represents several starts.
    position = index * num_starts // episodes if episodes < num_starts else index
    noops = noop_min + (seed + position) % num_starts
    candidates = (_hash(seed, index, trial) for trial in count())
    return next(each for each in candidates if sample_noops(each, noop_max) == noops)


def _hash(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
