"""Mistakes that a user can make, each told in one line: what, the value received, the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """Raised when what the user asked for cannot be done as asked; a command exits with 2."""


class RunError(RuntimeError):
    """Raised when a run cannot go on; it is saved first, and a command exits with 1."""


def unknown(what: str, value: str, known: Iterable[str]) -> UsageError:
    """The error for a name that nothing has, with the names that come nearest.

    Args:
        what: the kind of thing, e.g. ``"preset"``.
        value: the name received.
        known: the names there are.

    >>> str(unknown("preset", "tutoral", ["tutorial", "fast"]))
    "unknown preset 'tutoral'; did you mean 'tutorial'?"
    """
    names = sorted(known)
    near = difflib.get_close_matches(value, names, n=3) or names[:8]
    hint = " or ".join(repr(name) for name in near)
    return UsageError(f"unknown {what} {value!r}; did you mean {hint}?")
