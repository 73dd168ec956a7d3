"""Checksums of the rows of a replay storage."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FRAME, CHECKSUM = "frame", "checksum"

NO_CHECKSUM = -1
"""Checksum of a damaged row; it is never that of its content."""


def row_checksums(
    columns: Mapping[str, NDArray[Any]], slots: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the CRC-32 of each row: of its scalars and its frame.

    Args:
        columns: the columns of the storage, ``(num_rows, ...)``. The column with the checksums
            is left out.
        slots: positions of the rows, int64 ``(n,)``.

    Returns:
        int64 ``(n,)``, from 0 to ``2**32 - 1``.
    """
    names = [name for name in columns if name not in (FRAME, CHECKSUM)]
    # one more dimension, so that each scalar becomes a row of its bytes
    scalars = np.concatenate(
        [columns[name][slots][:, None].view(np.uint8) for name in names], axis=1
    )
    frames = columns[FRAME]
    checksums = (
        zlib.crc32(frames[slot], zlib.crc32(row))
        for slot, row in zip(slots.tolist(), scalars, strict=True)
    )
    return np.fromiter(checksums, np.int64, len(slots))
