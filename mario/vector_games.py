"""What the rest of the program asks of several games at once, whichever way they are played."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray

Results = tuple[
    NDArray[Any], NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]
]

Entry = dict[str, Any]
"""Where one game is: the ``episode``, that is how many it ended before, all ``actions`` since the
game's ``start``, which was made from that episode's seed, and how many of them were
``revisited``, that is taken before the episode began (see `wrappers.RevisitLoss`)."""


def entry_of(episode: int, revisited: int = 0, last: Entry | None = None) -> Entry:
    """The entry of an episode that begins.

    Args:
        episode: which.
        revisited: how many actions of the last episode came before it.
        last: the last episode's entry, for one that revisits it.

    >>> entry_of(3, 1, {"episode": 2, "start": 2, "revisited": 0, "actions": [5, 6]})
    {'episode': 3, 'start': 2, 'revisited': 1, 'actions': [5]}
    """
    if last is None or not revisited:
        return {"episode": episode, "start": episode, "revisited": 0, "actions": []}
    return last | {
        "episode": episode, "revisited": revisited, "actions": last["actions"][:revisited]
    }  # fmt: skip


class VectorGames(VectorEnv[NDArray[Any], NDArray[np.int64], Any], ABC):
    """Several games that are played together, with Gymnasium's vector interface.

    `step` may be split in `step_async` and `step_wait`, to learn while the games run. An episode
    that ends starts anew in the same step (`AutoresetMode.SAME_STEP`): its true last observation is
    in ``infos["final_obs"]``, what was known then in ``infos["final_info"]``.
    """

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
