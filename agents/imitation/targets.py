"""The action probabilities to imitate, of the transitions in a replay memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from agents.replay.frame_ring import Indices
from agents.replay.frame_storage import FrameStorage

EXTRA_ROWS = 8
"""Rows beyond those that can be sampled, since the newest rows cannot be sampled yet."""


class TargetMemory:
    """Keeps the probabilities of actions for the transitions of a storage.

    Args:
        storage: the transitions.
        num_actions: number of actions.
    """

    def __init__(self, storage: FrameStorage, num_actions: int) -> None:
        rows = storage.window.env_capacity + EXTRA_ROWS
        self._targets = np.zeros((storage.num_envs, rows, num_actions), np.float32)

    def write(self, times: Indices, targets: NDArray[np.float32]) -> None:
        """Keep the probabilities of one transition of every environment.

        Args:
            times: time of each row, see `agents.replay.frame_ring.FrameRing`; int64
                ``(num_envs,)``.
            targets: float32 ``(num_envs, num_actions)``.
        """
        self._targets[np.arange(len(times)), times % self._targets.shape[1]] = targets

    def read(self, index: ArrayLike) -> Tensor:
        """Return the probabilities of transitions.

        Args:
            index: index of each transition in the storage, int64 ``(batch,)``.

        Returns:
            float32 ``(batch, num_actions)``.
        """
        times, envs = np.divmod(np.asarray(index, np.int64), len(self._targets))
        return torch.from_numpy(self._targets[envs, times % self._targets.shape[1]])

    def state_dict(self) -> dict[str, Any]:
        """Return all probabilities."""
        return {"targets": torch.from_numpy(self._targets.copy())}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._targets = state_dict["targets"].numpy().copy()
