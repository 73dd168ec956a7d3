"""The errors of this project. Each message is one line: what, the value received, the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MIN_SIMILARITY = 0.6
MAX_HINTS = 3


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
    hint = " or ".join(repr(name) for name in similar(value, names) or names[:8])
    return UsageError(f"unknown {kind} {value!r}; did you mean {hint}?")


def similar(value: str, known: Iterable[str]) -> list[str]:
    """Return up to three names similar to a value, the most similar first.

    Names that contain the value come before all others. Upper and lower case are the same.

    Args:
        value: the name received.
        known: the names that exist.

    >>> similar("ppo", ["mario", "atari-ppo2", "mario-ppo"])
    ['mario-ppo', 'atari-ppo2']
    >>> similar("zzz", ["mario"])
    []
    """
    ranked = sorted((-_similarity(value.casefold(), name.casefold()), name) for name in known)
    return [name for similarity, name in ranked if -similarity >= MIN_SIMILARITY][:MAX_HINTS]


def _similarity(value: str, name: str) -> float:
    """Return the ratio of equal characters, plus 1 if the name contains the value."""
    return difflib.SequenceMatcher(None, name, value).ratio() + (value in name)
