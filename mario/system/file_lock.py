"""A lock that one process holds, with the processes to which it passes the open file."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path

POLL_SECONDS = 0.1


class LockedError(Exception):
    """Raised when another process holds a lock."""


def is_locked(file: Path) -> bool:
    """Return whether another process holds a lock. A file that cannot be opened has none."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)
    finally:
        os.close(descriptor)
    return False


def lock_file(file: Path, seconds: float = 0.0) -> int:
    """Lock a file, which is created if it does not exist.

    The lock is held until every process that has the descriptor has closed it or has ended.

    Args:
        file: the file; a link is refused.
        seconds: time to wait for another process.

    Returns:
        The descriptor of the open file.

    Raises:
        LockedError: another process holds the lock.
        OSError: the file cannot be opened.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES) or time.monotonic() >= end:
                os.close(descriptor)
                if error.errno in (errno.EAGAIN, errno.EACCES):
                    raise LockedError from None
                raise
            time.sleep(POLL_SECONDS)
        else:
            return descriptor
