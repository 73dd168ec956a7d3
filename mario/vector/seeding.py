"""The seeds of episodes: functions of an episode's place alone, so that it can be played again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count

import numpy as np

from wrappers.noop_reset import sample_noops

SeedOf = Callable[[int, int, int], int]
"""Gives the seed of an episode, given as for `episode_seed`."""


def episode_seed(seed: int, game: int, episode: int) -> int:
    """The seed of one episode.

    Args:
        seed: the run's seed.
        game: which of the parallel games.
        episode: how many episodes that game ended before.

    >>> episode_seed(0, 1, 2) == episode_seed(0, 1, 2) != episode_seed(0, 2, 1)
    True
    """
    return _drawn(seed, game, episode)


def stratified_seeds(num_envs: int, noop_max: int) -> SeedOf:
    """Seeds of which each start of `wrappers.NoopReset` comes of as often as every other.

    Where nothing else is drawn at random, ``noop_max + 1`` episodes are all that there are. Drawn
    ones leave some out, and whoever is chosen as the best on them is one who fails elsewhere.

    Args:
        num_envs: how many games are played at a time; these seeds do not depend on it.
        noop_max: the greatest number of frames without a button.

    >>> seed_of = stratified_seeds(num_envs=2, noop_max=2)
    >>> [sample_noops(seed_of(0, game, episode), 2) for episode in range(2) for game in range(2)]
    [0, 1, 2, 0]
    """
    return partial(_even_seed, num_envs, noop_max)


def _even_seed(num_envs: int, noop_max: int, seed: int, game: int, episode: int) -> int:
    """The first of this place's seeds that the noops come of whose turn it is."""
    place = episode * num_envs + game
    wanted = (seed + place) % (noop_max + 1)
    seeds = (_drawn(seed, place, trial) for trial in count())
    return next(each for each in seeds if sample_noops(each, noop_max) == wanted)


def _drawn(*words: int) -> int:
    return int(np.random.SeedSequence(words).generate_state(1)[0])
