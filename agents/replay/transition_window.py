"""Determines which rows of a ring are transitions that can be sampled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.replay.frame_ring import FrameRing, Indices
from agents.replay.memory_map import LOST

MAX_REDRAWS = 64
"""Number of attempts to draw only transitions before all transitions are listed."""


class TransitionWindow:
    """The transitions that can be sampled, by index.

    A row is a transition as soon as the rows of its n-step return and its next state are written.
    Rows that only hold a final frame, and rows near damaged ones, are not transitions.

    The index of a row is its time times the number of environments plus the index of its
    environment. An index is never reused.

    Args:
        ring: the rows.
        stack: number of frames of a state.
        n_step: number of steps over which rewards are summed.
        env_capacity: maximum number of rows of each environment that can be sampled.
    """

    def __init__(self, ring: FrameRing, stack: int, n_step: int, env_capacity: int) -> None:
        self.num_envs = len(ring.heads)
        self.env_capacity = env_capacity
        self._ring, self._stack, self._n_step = ring, stack, n_step
        self._bounds = self._compute_bounds()
        self._revision = ring.revision

    def bounds(self) -> tuple[Indices, Indices]:
        """Return the range of times that can be sampled: starts and ends, ``(num_envs,)`` each."""
        if self._revision != self._ring.revision:
            self._bounds, self._revision = self._compute_bounds(), self._ring.revision
        return self._bounds

    def rows_between(self, starts: Indices, stops: Indices) -> Indices:
        """Return the indices of the rows of each environment in ``[starts, stops)``."""
        counts = stops - starts
        envs = np.repeat(np.arange(self.num_envs), counts)
        times = np.arange(len(envs)) + np.repeat(stops - np.cumsum(counts), counts)
        return times * self.num_envs + envs

    def indices(self) -> Indices:
        """Return the indices of all transitions, sorted by environment and time."""
        index = self.rows_between(*self.bounds())
        return index[self.contains(index)]

    def contains(self, index: Any) -> NDArray[np.bool_]:
        """Return for each index whether it belongs to a transition."""
        times, envs = np.divmod(np.asarray(index, np.int64), self.num_envs)
        starts, stops = self.bounds()
        in_window = (starts[envs] <= times) & (times < stops[envs])
        contained: NDArray[np.bool_] = in_window & self._has_action(envs, times)
        return contained

    def draw(self, count: int, integers: Callable[..., Indices]) -> Indices:
        """Draw transitions uniformly, with replacement.

        Args:
            count: number of transitions.
            integers: draws integers below a bound, like `numpy.random.Generator.integers`.

        Raises:
            LookupError: there are no transitions yet.
        """
        starts, stops = self.bounds()
        totals = np.cumsum(stops - starts)
        index = np.empty(count, np.int64)
        missing = np.arange(count)
        for _ in range(MAX_REDRAWS if totals[-1] else 0):
            drawn = integers(totals[-1], size=missing.size)
            envs = np.searchsorted(totals, drawn, side="right")
            times = drawn - totals[envs] + stops[envs]
            index[missing] = times * self.num_envs + envs
            missing = missing[~self._has_action(envs, times)]
            if not missing.size:
                return index
        candidates = self.indices()
        if not candidates.size:
            raise self.empty_error()
        return candidates[integers(candidates.size, size=count)]

    def exclude_damaged_rows(self) -> None:
        """Exclude the transitions that need a row of `FrameRing.damaged_rows`.

        These are the transitions that begin up to ``n_step`` rows before such a row, and those
        with its frame in their stacks. Where later steps will need the frame, all rows of the
        environment are dropped.
        """
        for env, damaged in enumerate(self._ring.damaged_rows):
            if damaged.size and damaged[-1] + self._stack > self._ring.heads[env]:
                self._ring.drop_before(env, int(self._ring.heads[env]))
                continue
            unusable = np.unique(damaged[:, None] + np.arange(-self._n_step, self._stack))
            self._ring.rewrite(env, unusable[unusable >= self._ring.tails[env]], action=LOST)

    def empty_error(self) -> LookupError:
        """Return the error to raise when a sample is requested before there is a transition."""
        return LookupError(f"nothing to sample yet; cache more than {self._n_step} steps")

    def _compute_bounds(self) -> tuple[Indices, Indices]:
        floors, stops = self._ring.floors, self._ring.heads - self._n_step
        # the first rows after a loss lack the frames before them
        complete = np.where(floors > 0, floors + self._stack - 1, 0)
        starts = np.maximum(complete, stops - self.env_capacity)
        return starts, np.maximum(starts, stops)

    def _has_action(self, envs: Indices, times: Indices) -> NDArray[np.bool_]:
        has_action: NDArray[np.bool_] = (
            self._ring.take("action", self._ring.slots(envs, times)) >= 0
        )
        return has_action
