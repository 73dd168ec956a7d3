"""A replay memory that draws most often what was learned least well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict

from agents.agent import States
from agents.replay.frame_replay import FINAL, FrameReplay
from agents.replay.frame_storage import Indices
from agents.replay.sum_tree import SumTree

LEAST = 1e-6
"""Added to every error, so that what was learned to the last bit is drawn again some day."""


class PrioritizedFrameReplay(FrameReplay):
    """Draws a transition with a probability proportional to a power of its last error.

    Schaul et al. 2015, https://arxiv.org/abs/1511.05952, section 3.3: ``P(i) ~ p_i ** alpha`` with
    ``p_i = |error| + LEAST``. What is new has the largest ``p`` that there ever was, at first 1, so
    that everything is looked at soon. Whatever cannot be drawn has the priority 0.

    A priority is known by its row's number modulo the rows of a game that can be drawn: one that
    comes takes the place of the one that goes.

    Args:
        folder: `FrameReplay` says what it and the following are.
        state_shape: see there.
        lanes: see there.
        capacity: see there.
        n_step: see there.
        gamma: see there.
        seed: see there.
        alpha: how much errors matter, from 0, not at all, to 1.

    >>> memory = PrioritizedFrameReplay(None, (4, 8, 8), lanes=2, capacity=100, alpha=0.6)
    >>> len(memory), memory.check_valid()
    (0, (True, ''))
    >>> memory.close()
    """

    def __init__(
        self,
        folder: Path | None,
        state_shape: tuple[int, ...],
        lanes: int,
        capacity: int,
        n_step: int = 1,
        gamma: float = 0.9,
        seed: int = 0,
        alpha: float = 0.6,
    ) -> None:
        super().__init__(folder, state_shape, lanes, capacity, n_step, gamma, seed)
        self._alpha = alpha
        self._tree = SumTree(lanes * self._share)
        self._highest = 1.0

    def sample(self, batch_size: int) -> TensorDict:
        """Draw transitions by their priorities, one out of each of ``batch_size`` equal parts.

        Schaul et al. 2015, appendix B.2.1.

        Returns:
            What `read` gives, and ``probability``, float64, of each to be drawn; and ``row``,
            int64, by which `prioritize` knows them.

        Raises:
            LookupError: there is none to be drawn.
        """
        total = self._tree.total
        if not total:
            raise self._nothing_yet()
        marks = np.arange(batch_size) + self._generator.random(batch_size)
        leaves = self._tree.find(marks * (total / batch_size))
        lanes, numbers = self._rows(leaves)
        batch = self.read(lanes, numbers)
        batch["probability"] = torch.from_numpy(self._tree.take(leaves) / total)
        batch["row"] = torch.from_numpy(numbers * len(self.ring.heads) + lanes)
        return batch

    def prioritize(self, rows: Indices, errors: NDArray[np.float32]) -> None:
        """Take note of how far off the values of transitions were.

        Args:
            rows: ``row`` of what `sample` gave, ``(batch,)``; what is gone since is passed over.
            errors: of either sign, finite, ``(batch,)``.
        """
        numbers, lanes = np.divmod(rows, len(self.ring.heads))
        sizes = np.abs(errors.astype(np.float64)) + LEAST
        here = numbers >= self._bounds()[0][lanes]
        self._tree.update(self._leaves(lanes, numbers)[here], sizes[here] ** self._alpha)
        self._highest = max(self._highest, float(sizes.max()))

    def check_valid(self) -> tuple[bool, str]:
        """Whether what can be drawn, and only that, has a priority, and `FrameReplay` is valid."""
        found = np.flatnonzero(self._tree.leaves)
        if not np.array_equal(found, np.sort(self._leaves(*self.anchors()))):
            return False, "there are priorities without a transition, or transitions without one"
        return super().check_valid()

    def state_dict(self) -> dict[str, Any]:
        """Everything but the rows; priorities, unlike those, change after they were written."""
        return super().state_dict() | {
            "priorities": torch.from_numpy(self._tree.leaves),
            "highest_priority": self._highest,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where `state_dict` was taken, without the rows that are no longer there."""
        super().load_state_dict(state)
        priorities = state["priorities"].numpy()
        lanes, numbers = self._rows(np.arange(len(priorities)))
        here = numbers >= self._bounds()[0][lanes]
        self._tree.fill(np.where(here, priorities, 0.0))
        self._highest = state["highest_priority"]

    def _append(self, lanes: Indices, states: States, **columns: Any) -> None:
        super()._append(lanes, states, **columns)
        starts, stops = self._bounds()
        numbers = stops[lanes] - 1
        drawable = self.ring.take("action", lanes, numbers) != FINAL
        drawable &= numbers >= starts[lanes]
        newest = self._highest**self._alpha
        self._tree.update(self._leaves(lanes, numbers), np.where(drawable, newest, 0.0))

    def _leaves(self, lanes: Indices, numbers: Indices) -> Indices:
        return lanes * self._share + numbers % self._share

    def _rows(self, leaves: Indices) -> tuple[Indices, Indices]:
        """The lanes and the numbers of the rows whose priorities are at leaves."""
        lanes, places = np.divmod(leaves, self._share)
        newest = self._bounds()[1][lanes] - 1
        return lanes, newest - (newest - places) % self._share
