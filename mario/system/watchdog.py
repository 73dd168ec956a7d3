"""Ends operations that hang."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CHECK_SECONDS = 0.5


class Watchdog:
    """A thread that calls a function if an operation takes too long.

    Reading from a pipe cannot be given a time limit once the first byte of a message has arrived.

    >>> watchdog = Watchdog()
    >>> with watchdog.limit(60.0, lambda: print("too long")):
    ...     pass
    >>> watchdog.close()
    """

    def __init__(self) -> None:
        self._limit: tuple[float, Callable[[], None]] | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    @contextmanager
    def limit(self, seconds: float, expire: Callable[[], None]) -> Iterator[None]:
        """Return a context after whose time limit ``expire`` is called once, in another thread.

        Args:
            seconds: the limit.
            expire: must make the operation in the context end.
        """
        if self._thread.ident is None:
            self._thread.start()
        self._limit = time.monotonic() + seconds, expire
        try:
            yield
        finally:
            self._limit = None

    def close(self) -> None:
        """End the thread."""
        self._closing.set()

    def _run(self) -> None:
        while not self._closing.wait(CHECK_SECONDS):
            limit = self._limit
            if limit is not None and time.monotonic() > limit[0]:
                self._limit = None
                limit[1]()
