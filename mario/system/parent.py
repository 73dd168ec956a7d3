"""Stops a process whose parent has ended, however it ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1
"""Option of Linux's ``prctl`` that sets the signal for the end of the parent."""


def stop_with_parent() -> None:
    """Send SIGTERM to this process when its stdin ends.

    The parent gives this process a pipe as stdin, writes nothing, and keeps the pipe open. The pipe
    ends with the parent, also if the parent is killed. If the parent has paused this process by
    SIGSTOP, Linux continues it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGCONT)
    pipe = sys.stdin.buffer
    thread = threading.Thread(target=_wait, args=(pipe.fileno(),), name="parent", daemon=True)
    thread.start()


def _wait(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
