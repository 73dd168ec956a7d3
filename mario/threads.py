"""How many threads a network computes with, and what they do while they wait for each other."""

from __future__ import annotations

import os


def wait_asleep() -> None:
    """Have threads that wait for each other sleep; call it before torch is imported.

    By default they spin, to be quicker by microseconds. Where games want the cores as well, the
    thread that is spun for is not running: eight games beside two threads were 5 times as slow.
    What the user chose stays as it is.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


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


def use_threads(count: int | None, processes: int) -> None:
    """Have networks compute with so many threads.

    Args:
        count: how many; None for as many as there are cores that no other process needs.
        processes: how many others play games meanwhile.
    """
    # Imported here, so that this module can be used before torch is loaded.
    import torch

    torch.set_num_threads(count or spare_cores(processes))
