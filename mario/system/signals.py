"""Handling of Ctrl-C and SIGTERM."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, NamedTuple, Self

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
REPEAT_SECONDS = 1.0
"""Signals so soon after the first one are the same request: GNU ``timeout`` signals the process and
its group, and a user may press Ctrl-C twice."""
ERASE_LINE = "\r\x1b[K"
"""Moves the cursor of a terminal to the start of its line, and erases the line."""


class StopLines(NamedTuple):
    """The lines that are printed when a signal arrives; nothing is printed for ``""``.

    Attributes:
        starting: before the program polls for signals, when there is nothing to save.
        stopping: at the first signal after that.
        aborted: returns the line for a second signal, which ends the process without saving.
    """

    starting: str = ""
    stopping: str = ""
    aborted: Callable[[], str] = str


class StopSignals:
    """Context in which SIGINT and SIGTERM only set a flag, so that the program can save and exit.

    A second signal ends the process at once, unless it comes within `REPEAT_SECONDS` of the first.
    Checkpoints stay intact, because they are written atomically. The object is true after the first
    signal. Before the program asks for its truth for the first time, there is nothing to save yet,
    and a signal ends the program at once by an exception.

    Args:
        lines: the lines to print.

    Attributes:
        lines: the lines to print; may be replaced when more is known.
        received: number of the first signal, or None before it.
    """

    def __init__(self, lines: StopLines = StopLines()) -> None:  # noqa: B008 - immutable
        self.lines = lines
        self.received: int | None = None
        self._received_at = 0.0
        self._is_polled = False
        self._handlers_before: dict[int, Any] = {}

    @property
    def exit_code(self) -> int:
        """The shell's exit code for a process that the signal ended; 0 without a signal."""
        return 128 + self.received if self.received else 0

    def __bool__(self) -> bool:
        self._is_polled = True
        return self.received is not None

    def __call__(self) -> bool:
        """Return whether a signal has arrived."""
        return bool(self)

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
        now = time.monotonic()
        if self.received is None:
            self.received, self._received_at = number, now
            _print_now(self.lines.stopping if self._is_polled else self.lines.starting)
            if not self._is_polled:
                raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(self.exit_code)
        elif now - self._received_at >= REPEAT_SECONDS:
            _print_now(self.lines.aborted())
            os._exit(128 + number)


def _print_now(line: str) -> None:
    """Print a line on stdout from a signal handler, in place of a progress bar.

    The handler may have interrupted `print`, whose buffer must not be used a second time. If stdout
    is closed or not a file, the line is lost.
    """
    with suppress(AttributeError, OSError, ValueError):
        descriptor = sys.stdout.fileno()
        start = ERASE_LINE if os.isatty(descriptor) else ""
        if line:
            os.write(descriptor, f"{start}{line}\n".encode())
