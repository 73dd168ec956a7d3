"""Handling of Ctrl-C and SIGTERM."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType
from typing import Any, Self

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Context in which SIGINT and SIGTERM only set a flag, so that the program can save and exit.

    A second signal ends the process at once. Checkpoints stay intact, because they are written
    atomically. The object is true after the first signal. Before the program asks for its truth
    for the first time, there is nothing to save yet, and a signal ends the program at once by an
    exception.

    Attributes:
        received: number of the first signal, or None before it.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._is_polled = False
        self._handlers_before: dict[int, Any] = {}

    @property
    def exit_code(self) -> int:
        """The shell's exit code for a process that the signal ended; 0 without a signal."""
        return 128 + self.received if self.received else 0

    def __bool__(self) -> bool:
        self._is_polled = True
        return self.received is not None

    def __enter__(self) -> Self:
        for number in STOP_SIGNALS:
            self._handlers_before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            os._exit(128 + number)
        self.received = number
        if not self._is_polled:
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(self.exit_code)
