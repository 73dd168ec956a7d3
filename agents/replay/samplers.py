"""Samplers that choose the transitions of a batch from a `FrameStorage`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torchrl._torchrl import SumSegmentTreeFp64
from torchrl.data.replay_buffers.samplers import Sampler

from agents.replay.frame_ring import Indices
from agents.replay.frame_storage import FrameStorage
from agents.rng import generator_state, set_generator_state

EPSILON = 1e-6
"""Added to the absolute error of a transition, so that its probability is never 0."""

TINY = np.nextafter(0, 1)
"""The smallest positive number."""

Sample = tuple[torch.Tensor, dict[str, torch.Tensor]]


class FrameSampler(Sampler):  # type: ignore[misc]
    """Base class of samplers. Each has its own random generator, which is part of its state.

    Args:
        seed: seed of the random generator, one integer or several.
    """

    def __init__(self, seed: int | Sequence[int] = 0) -> None:
        self._generator = np.random.default_rng(seed)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the random generator."""
        return {"generator": generator_state(self._generator)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned, after the state of the storage was restored."""
        set_generator_state(self._generator, state_dict["generator"])

    def dumps(self, path: Path) -> NoReturn:
        """Reject TorchRL's own format, as `FrameStorage.dumps` does.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("use state_dict() instead of dumps and loads")

    loads = dumps

    def _empty(self) -> None:
        """Reset the sampler after its storage was emptied."""


class UniformSampler(FrameSampler):
    """Samples every transition with the same probability, with replacement.

    TorchRL's `RandomSampler` does the same with a random generator that is not part of its state.

    Args:
        seed: seed of the random generator.

    >>> storage = FrameStorage(None, (4, 84, 84), num_envs=2, capacity=100)
    >>> UniformSampler(seed=1).sample(storage, batch_size=32)
    Traceback (most recent call last):
    LookupError: nothing to sample yet; cache more than 1 steps
    >>> storage.close()
    """

    def sample(self, storage: FrameStorage, batch_size: int) -> Sample:
        """Return the indices of a batch, and an empty dict.

        Raises:
            LookupError: there are no transitions yet.
        """
        index = storage.window.draw(batch_size, self._generator.integers)
        return torch.from_numpy(index), {}


class PrioritizedSampler(FrameSampler):
    """Samples a transition with a probability proportional to a power of its last TD error.

    Schaul et al. 2015, https://arxiv.org/abs/1511.05952, section 3.3: ``P(i) ~ p_i ** alpha`` with
    ``p_i = |error| + EPSILON``. New transitions get the largest ``p`` so far, initially 1.

    The priorities are stored in TorchRL's C++ sum tree. TorchRL's own `PrioritizedSampler` does not
    work with a `FrameStorage`: it would also draw the newest rows, whose next states are not stored
    yet. In addition, this sampler draws stratified samples, and its random generator is part of its
    state.

    Args:
        storage: the transitions to sample from.
        alpha: exponent of the priorities, from 0 for uniform sampling to 1 for full prioritization.
        seed: seed of the random generator.

    >>> storage = FrameStorage(None, (4, 84, 84), num_envs=2, capacity=100)
    >>> PrioritizedSampler(storage, alpha=0.6).check_valid()
    (True, '')
    >>> storage.close()
    """

    def __init__(self, storage: FrameStorage, alpha: float = 0.6, seed: int = 0) -> None:
        super().__init__(seed)
        self._storage, self._window = storage, storage.window
        self._alpha = alpha
        self._max_error = 1.0
        self._stops: Indices = np.zeros(storage.num_envs, np.int64)
        self._tree = SumSegmentTreeFp64(storage.num_envs * storage.window.env_capacity)

    def sample(self, storage: FrameStorage, batch_size: int) -> Sample:
        """Draw one transition out of each of ``batch_size`` equal parts of the total priority.

        Schaul et al. 2015, appendix B.2.1.

        Returns:
            The indices, int64 ``(batch_size,)``; and a dict with the same indices as ``index``, and
            their sampling probabilities as ``probability``, float64 ``(batch_size,)``.

        Raises:
            LookupError: there are no transitions yet.
            ValueError: ``storage`` is not that of the sampler.
        """
        if storage is not self._storage:
            raise ValueError("storage is another one; give that of the sampler")
        self._synchronize()
        total = self._tree.query(0, self._tree.size)
        if not total:
            raise self._window.empty_error()
        strata = np.arange(batch_size) + self._generator.random(batch_size)
        positions, priorities = self._find(strata * (total / batch_size), total)
        index = torch.from_numpy(self._indices_at(positions))
        return index, {"index": index, "probability": torch.from_numpy(priorities / total)}

    def update_priority(
        self, index: ArrayLike, priority: ArrayLike, *, storage: FrameStorage | None = None
    ) -> None:
        """Set the priorities of transitions.

        Args:
            index: what `sample` returned, ``(batch,)``. Transitions that are no longer stored are
                ignored.
            priority: their TD errors, of either sign, finite, ``(batch,)``.
            storage: not used.
        """
        del storage
        self._synchronize()
        index = np.asarray(index, np.int64)
        errors = np.abs(np.asarray(priority, np.float64)) + EPSILON
        stored = self._window.contains(index)
        self._tree.update(self._positions(index[stored]), errors[stored] ** self._alpha)
        self._max_error = max(self._max_error, float(errors.max()))

    def check_valid(self) -> tuple[bool, str]:
        """Return whether exactly the stored transitions have priorities; if not, the problem."""
        positions = np.sort(self._positions(self._window.indices()))
        if not np.array_equal(np.flatnonzero(self.priorities()), positions):
            return False, "there are priorities without a transition, or transitions without one"
        return True, ""

    def priorities(self) -> NDArray[np.float64]:
        """Return the priorities, to the power of ``alpha``, by position in the tree."""
        self._synchronize()
        priorities: NDArray[np.float64] = self._tree.at(np.arange(self._tree.size))
        return priorities

    def state_dict(self) -> dict[str, Any]:
        """Return the priorities and the state of the random generator."""
        return super().state_dict() | {
            "priorities": torch.from_numpy(self.priorities()),
            "max_error": self._max_error,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned, after the state of the storage was restored."""
        super().load_state_dict(state_dict)
        priorities = state_dict["priorities"].numpy()
        self._max_error = state_dict["max_error"]
        positions = np.arange(len(priorities))
        # rows that were lost have no priority
        stored = self._window.contains(self._indices_at(positions))
        self._tree.update(positions, np.where(stored, priorities, 0.0))
        self._stops = self._window.bounds()[1]

    def _empty(self) -> None:
        self._max_error = 1.0
        self._stops = np.zeros_like(self._stops)
        self._tree.update(np.arange(self._tree.size), 0.0)

    def _synchronize(self) -> None:
        """Give the highest priority to transitions that were stored since the last call.

        They take the positions of transitions that are no longer stored.
        """
        starts, stops = self._window.bounds()
        if np.array_equal(stops, self._stops):
            return
        index = self._window.rows_between(np.maximum(starts, self._stops), stops)
        newest = self._max_error**self._alpha
        priorities = np.where(self._window.contains(index), newest, 0.0)
        self._tree.update(self._positions(index), priorities)
        self._stops = stops

    def _find(self, sums: NDArray[np.float64], total: float) -> tuple[Indices, NDArray[np.float64]]:
        """Return the first positions where cumulative priorities reach ``sums``, and priorities."""
        # the search for a sum of 0 would end at the first position, whatever its priority
        positions = self._tree.scan_lower_bound(np.minimum(np.maximum(sums, TINY), total))
        priorities = self._tree.at(positions)
        while (empty := priorities == 0).any():
            # because of rounding, a search can end after the last priority of a branch
            positions[empty] -= 1
            priorities = self._tree.at(positions)
        return positions, priorities

    def _positions(self, index: Indices) -> Indices:
        """Map indices to positions in the tree."""
        times, envs = np.divmod(index, self._window.num_envs)
        capacity = self._window.env_capacity
        positions: Indices = envs * capacity + times % capacity
        return positions

    def _indices_at(self, positions: Indices) -> Indices:
        """Map positions to the indices of the latest rows at these positions."""
        envs, remainders = np.divmod(positions, self._window.env_capacity)
        newest = self._window.bounds()[1][envs] - 1
        times = newest - (newest - remainders) % self._window.env_capacity
        index: Indices = times * self._window.num_envs + envs
        return index
