"""The arrays through which Python and compiled games exchange a step."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray


class StepBuffers(NamedTuple):
    """Inputs and outputs of one step, in the order of the compiled code.

    ``noops``, ``seeds`` and ``steps_before_loss`` describe how the next episodes start.
    """

    actions: NDArray[np.int64]
    noops: NDArray[np.int64]
    seeds: NDArray[np.uint64]
    steps_before_loss: NDArray[np.int64]
    observations: NDArray[np.uint8]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    info: NDArray[np.int64]


class FinalBuffers(NamedTuple):
    """The last step of the episodes that ended; entries of other environments are unchanged."""

    observations: NDArray[np.uint8]
    info: NDArray[np.int64]
    endings: NDArray[np.int64]
    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]

    @classmethod
    def create(cls, observations: NDArray[np.uint8], info: NDArray[np.int64]) -> Self:
        """Create buffers around arrays for observations and infos."""
        num_envs = len(observations)
        endings, lengths = np.zeros((2, num_envs), np.int64)
        return cls(observations, info, endings, np.zeros(num_envs), lengths)
