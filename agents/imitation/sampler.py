"""A sampler for transitions with weights, which prefers the newest ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agents.replay.frame_ring import Indices
from agents.replay.frame_storage import FrameStorage
from agents.replay.samplers import FrameSampler, Sample

MAX_REDRAWS = 64
"""Number of attempts to draw by rejection before all transitions with a weight are listed."""


class WeightedSampler(FrameSampler):
    """Samples a transition with a probability proportional to its weight, with replacement.

    A part of each batch is drawn from the newest transitions only.

    Args:
        storage: the transitions to sample from.
        recent: number of newest rows, over all environments, that make up the recent part.
        recent_fraction: fraction of a batch that is drawn from the recent part.
        seed: seed of the random generator.
    """

    def __init__(
        self, storage: FrameStorage, recent: int, recent_fraction: float, seed: int = 0
    ) -> None:
        super().__init__(seed)
        self._window = storage.window
        self._recent = max(1, recent // storage.num_envs)
        self._recent_fraction = recent_fraction
        # a few rows more than the window has, since the newest rows are not in it yet
        self._weights = np.zeros((storage.num_envs, storage.window.env_capacity + 8), np.float32)

    def set_weights(self, envs: Indices, times: Indices, weights: Any) -> None:
        """Set the weights of rows.

        Args:
            envs: environment of each row, int64 ``(rows,)``.
            times: time of each row, see `agents.replay.frame_ring.FrameRing`; int64 ``(rows,)``.
            weights: 0 or more, float32 ``(rows,)`` or a number.
        """
        self._weights[envs, times % self._weights.shape[1]] = weights

    def weights(self, index: Any) -> NDArray[np.float32]:
        """Return the weights of transitions by index."""
        times, envs = np.divmod(np.asarray(index, np.int64), self._window.num_envs)
        weights: NDArray[np.float32] = self._weights[envs, times % self._weights.shape[1]]
        return weights

    def sample(self, storage: FrameStorage, batch_size: int) -> Sample:
        """Return the indices of a batch, and a dict with the same indices as ``index``.

        Raises:
            LookupError: there are no transitions with a weight yet.
        """
        num_recent = round(self._recent_fraction * batch_size)
        starts, stops = self._window.bounds()
        recent_starts = np.maximum(starts, stops - self._recent)
        parts = [
            self._draw(num_recent, recent_starts, stops),
            self._draw(batch_size - num_recent, starts, stops),
        ]
        index = torch.from_numpy(np.concatenate(parts))
        return index, {"index": index}

    def state_dict(self) -> dict[str, Any]:
        """Return the weights and the state of the random generator."""
        return super().state_dict() | {"weights": torch.from_numpy(self._weights.copy())}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned, after the state of the storage was restored."""
        super().load_state_dict(state_dict)
        self._weights = state_dict["weights"].numpy().copy()

    def _empty(self) -> None:
        self._weights[:] = 0

    def _draw(self, count: int, starts: Indices, stops: Indices) -> Indices:
        """Draw rows by rejection: accept a uniform draw in proportion to its weight."""
        totals, largest = np.cumsum(stops - starts), float(self._weights.max())
        index = np.empty(count, np.int64)
        missing = np.arange(count)
        for _ in range(MAX_REDRAWS if totals[-1] and largest else 0):
            drawn = self._generator.integers(totals[-1], size=missing.size)
            envs = np.searchsorted(totals, drawn, side="right")
            times = drawn - totals[envs] + stops[envs]
            index[missing] = times * self._window.num_envs + envs
            accepted = self._generator.random(missing.size) * largest < self.weights(index[missing])
            accepted &= self._window.contains(index[missing])
            missing = missing[~accepted]
            if not missing.size:
                return index
        index[missing] = self._draw_exactly(missing.size)
        return index

    def _draw_exactly(self, count: int) -> Indices:
        candidates = self._window.indices()
        weights = self.weights(candidates).astype(np.float64)
        if not weights.sum():
            raise LookupError("nothing to sample yet; no transition has a weight above 0")
        drawn: Indices = self._generator.choice(candidates, count, p=weights / weights.sum())
        return drawn
