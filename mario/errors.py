"""The errors of this project. Each message is one line: what, the value received, the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """Raised when the user's input is wrong; a command exits with 2."""


class RunError(RuntimeError):
    """Raised when a run cannot continue; it is saved if possible, and a command exits with 1."""


def unknown(kind: str, value: str, known: Iterable[str]) -> UsageError:
    """Return the error for an unknown name; the message suggests similar names.

    Args:
        kind: what the name stands for, e.g. ``"preset"``.
        value: the name received.
        known: the names that exist.

    >>> str(unknown("preset", "tutoral", ["tutorial", "fast"]))
    "unknown preset 'tutoral'; did you mean 'tutorial'?"
    """
    names = sorted(known)
    similar = difflib.get_close_matches(value, names, n=3) or names[:8]
    hint = " or ".join(repr(name) for name in similar)
    return UsageError(f"unknown {kind} {value!r}; did you mean {hint}?")
