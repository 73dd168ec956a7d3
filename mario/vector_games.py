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
    def journal(self) -> list[dict[str, Any]]:
        """What `restore` needs to bring every game to where it is now: episode and its actions."""

    @abstractmethod
    def restore(self, journal: Sequence[dict[str, Any]]) -> tuple[NDArray[Any], dict[str, Any]]:
        """Bring every game to where it was at a `journal`, by playing its episode again."""
