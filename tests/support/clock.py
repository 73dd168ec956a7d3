"""A clock for tests of code that measures time."""

from __future__ import annotations


class Clock:
    """Stands in for the module `time`; the test sets `now`, in seconds."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now
