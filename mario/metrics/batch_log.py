"""One line for each batch of a cluster: how far, how good, how many workers and how much data."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

WINDOW = 100
"""Number of latest episodes in the mean reward."""
LINE_SECONDS = 10.0
"""Minimum time between two lines."""


class BatchLog:
    """Reports the state of a cluster after a batch, at most every `LINE_SECONDS`.

    Args:
        size: number of workers wanted.
        report: receives each line.
        every: minimum time between two lines in seconds.
        clock: returns the time of a monotonic clock in seconds.
    """

    def __init__(
        self,
        size: int,
        report: Callable[[str], None],
        *,
        every: float = LINE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size, self._report, self._every, self._clock = size, report, every, clock
        self._rewards: deque[float] = deque(maxlen=WINDOW)
        self._steps = 0
        self._last = (clock(), 0, 0, 0)

    def add(self, num_steps: int, rewards: Iterable[float]) -> None:
        """Count the steps of a batch, and the rewards of the episodes that ended in it."""
        self._steps += num_steps
        self._rewards.extend(rewards)

    def write(self, batch: int, *, workers: int, nbytes: int, age: float = 0.0) -> None:
        """Report a line if one is due.

        Args:
            batch: number of updates so far.
            workers: number of workers that are ready.
            age: mean number of updates between the weights that chose the actions and the newest.
            nbytes: bytes sent and received so far.
        """
        now = self._clock()
        last_time, last_batch, last_steps, last_bytes = self._last
        seconds = now - last_time
        if batch == last_batch or seconds < self._every:
            return
        self._last = now, batch, self._steps, nbytes
        rewards = self._rewards
        reward = f"{sum(rewards) / len(rewards):.1f}" if rewards else "none yet"
        self._report(
            f"Batch {batch:,} - Seconds per Batch {seconds / (batch - last_batch):.3f} - "
            f"Mean Reward {reward} - Workers {workers}/{self._size} - Weight Age {age:.1f} - "
            f"Steps/s {(self._steps - last_steps) / seconds:,.0f} - "
            f"MB/s {(nbytes - last_bytes) / seconds / 1e6:.1f}"
        )
