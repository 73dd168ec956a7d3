"""What the rest of the program asks of several games at once, whichever way they are played."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

from mario.games.start_curriculum import AS_BEFORE, FARTHEST_NOW, NONE_ANY_MORE
from mario.vector.seeding import SeedOf

Results = tuple[
    NDArray[Any], NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]
]

Entry = dict[str, Any]
"""Where one game is: the ``episode``, that is how many it ended before, all ``actions`` since the
game's ``start``, which was made from that episode's seed, how many of them were ``revisited``, that
is taken before the episode began, and the ``start`` and ``actions`` of the ``farthest`` way or None
(see `wrappers.StartCurriculum` for both)."""


def entry_of(episode: int, farthest: Entry | None = None) -> Entry:
    """The entry of an episode that begins at the game's start.

    >>> entry_of(3)
    {'episode': 3, 'start': 3, 'revisited': 0, 'actions': [], 'farthest': None}
    """
    return {
        "episode": episode, "start": episode, "revisited": 0, "actions": [], "farthest": farthest
    }  # fmt: skip


def entry_after(last: Entry, farthest: int, revisited: int) -> Entry:
    """The entry of the episode after one that ended.

    Args:
        last: the entry of that one.
        farthest: what the game said of the farthest way as it ended.
        revisited: what it says of the episode that begins, as `wrappers.StartCurriculum` counts.

    >>> last = entry_of(2) | {"actions": [5, 6]}
    >>> following = entry_after(last, farthest=1, revisited=-1)
    >>> following["start"], following["actions"], following["farthest"]
    (2, [5], {'start': 2, 'actions': [5, 6]})
    """
    way = {"start": last["start"], "actions": last["actions"]}
    known = {AS_BEFORE: last["farthest"], FARTHEST_NOW: way, NONE_ANY_MORE: None}[farthest]
    following = entry_of(last["episode"] + 1, known)
    if not revisited:
        return following
    base = way if revisited > 0 else known
    assert base is not None, "a game went back on a way that there is not"
    return following | {
        "start": base["start"], "revisited": revisited, "actions": base["actions"][: abs(revisited)]
    }  # fmt: skip


class GameVectorEnv(VectorEnv[NDArray[Any], NDArray[np.int64], Any], ABC):
    """Several games that are played together, with Gymnasium's vector interface.

    `step` may be split in `step_async` and `step_wait`, to learn while the games run. An episode
    that ends starts anew in the same step (`AutoresetMode.SAME_STEP`): its true last observation is
    in ``infos["final_obs"]``, what was known then in ``infos["final_info"]``.
    """

    _seed: int
    _seed_of: SeedOf

    def episode_seed(self, game: int, episode: int) -> int:
        """What an episode is seeded with, if it is not the next of the one before it.

        Args:
            game: which of the games.
            episode: how many it ended before.
        """
        return self._seed_of(self._seed, game, episode)

    @property
    def processes(self) -> int:
        """How many processes beside this one the games keep busy."""
        return 0

    @abstractmethod
    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Start one step of every game; `step_wait` collects it."""

    @abstractmethod
    def step_wait(self) -> Results:
        """Collect the step of every game that `step_async` started.

        Returns:
            Observations ``(num_envs, ...)``, rewards, terminations, truncations ``(num_envs,)`` and
            infos, as Gymnasium's vector environments give them.
        """

    @abstractmethod
    def journal(self) -> list[Entry]:
        """What `restore` needs to bring every game to where it is now."""

    @abstractmethod
    def restore(self, journal: Sequence[Entry]) -> tuple[NDArray[Any], dict[str, Any]]:
        """Bring every game to where it was at a `journal`, by playing its episode again.

        An entry may leave out that it starts with its own episode and revisits nothing.
        """
