"""How many threads a network learns with."""

from __future__ import annotations

import os


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spare_cores(processes: int) -> int:
    """How many cores are left beside so many processes that are always busy, at least one.

    >>> spare_cores(processes=10_000)
    1
    """
    return max(1, cores() - processes)
