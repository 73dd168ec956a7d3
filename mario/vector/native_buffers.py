"""The arrays that compiled games and Python share for a step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class StepBuffers(NamedTuple):
    """Where one step is read from and written to, in the order that the compiled code takes."""

    actions: NDArray[np.int64]
    noops: NDArray[np.int64]
    seeds: NDArray[np.uint64]
    backs: NDArray[np.int64]
    observations: NDArray[np.uint8]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    info: NDArray[np.int64]


class FinalBuffers(NamedTuple):
    """The same of the last step of an episode: written only for games in which one ended."""

    observations: NDArray[np.uint8]
    info: NDArray[np.int64]
    endings: NDArray[np.int64]
    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]
