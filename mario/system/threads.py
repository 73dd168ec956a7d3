"""The number of cores that are available for computing."""

from __future__ import annotations

import os

from mario.system.limits import cpu_quota


def available_cores() -> int:
    """Return the number of cores that this process may use, also inside a container."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores, cpu_quota() or cores)


def spare_cores(processes: int) -> int:
    """Return the number of cores that busy processes leave free, at least one.

    Args:
        processes: number of busy processes besides this one.

    >>> spare_cores(processes=10_000)
    1
    """
    return max(1, available_cores() - processes)
