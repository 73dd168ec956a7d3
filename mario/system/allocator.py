"""What the C library does with memory that was freed."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
LARGEST_KEPT = 32 * 2**20
"""The most bytes of one block that the GNU C library may be told to keep."""
KEPT = 2**31 - 1
"""Bytes of free memory above which some is given back."""


def keep_freed_memory() -> bool:
    """Have freed memory kept for the next request, rather than given back to the system.

    Each update makes and frees the same few megabytes many times over. Given back and asked for
    again, each page of them is cleared by the system first: 500 pages and 1.4 ms in an update of
    32 that takes 13.

    Returns:
        Whether the C library is one that can be told so: the GNU one, on Linux.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT) and mallopt(M_TRIM_THRESHOLD, KEPT))
