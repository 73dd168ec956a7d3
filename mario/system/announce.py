"""Messages: what the program is doing during a step that takes long, and how much it has done."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS = 2.0
"""Steps that take no longer than this are not announced."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1.

    >>> counted(1, "episode"), counted(40_000, "episode")
    ('1 episode', '40,000 episodes')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def print_to_stderr(line: str) -> None:
    """Print a line on stderr."""
    print(line, file=sys.stderr, flush=True)


def print_to_terminal(line: str) -> None:
    """Print a line on stderr if it is a terminal."""
    if sys.stderr.isatty():
        print_to_stderr(line)


@contextmanager
def announced(
    step: str, report: Callable[[str], None] = print_to_terminal, seconds: float = SECONDS
) -> Iterator[None]:
    """Context that reports a step in one line if it takes longer than some seconds.

    Args:
        step: What the program does, for example ``"loading PyTorch"``.
        report: Receives the line, possibly in another thread.
        seconds: Seconds until the line is reported.
    """
    timer = threading.Timer(seconds, report, [f"{step} ..."])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
