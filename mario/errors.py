"""The errors of this project. Each message is one line: what, the value received, the remedy.

Messages name options as flags, for example ``--hyper.batch-size``. In Python, where the same option
is an argument or a field, the text of an error names ``hyper.batch_size``. The commands keep the
flags with `naming_flags`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

MIN_SIMILARITY = 0.6
MAX_HINTS = 3
MAX_LISTED = 8
"""Known names of which all are listed if none is similar."""

FLAG = re.compile(r"(?<![\w-])--([a-z][a-z0-9]*(?:[-.][a-z0-9]+)*)")
"""A flag in a message."""
TURNED_OFF = re.compile(r"^((?:.*\.)?)no_(\w+)$")
"""The flag that turns an option off, ``--no-json``."""

_flags_are_named = False


class _OptionsError(Exception):
    """An error whose text names options as the caller knows them."""

    @property
    def message(self) -> str:
        """The message with flags, for another process that shows it to the user."""
        return super().__str__()

    def __str__(self) -> str:
        return self.message if _flags_are_named else with_arguments(self.message)


class UsageError(_OptionsError, ValueError):
    """Raised when the user's input is wrong; a command exits with 2."""


class RunError(_OptionsError, RuntimeError):
    """Raised when a run cannot continue; it is saved if possible, and a command exits with 1."""


@contextmanager
def naming_flags() -> Iterator[None]:
    """Context in which the texts of errors name flags, for a command."""
    global _flags_are_named
    before, _flags_are_named = _flags_are_named, True
    try:
        yield
    finally:
        _flags_are_named = before


def with_arguments(message: str) -> str:
    """Return a message that names Python arguments in place of flags.

    >>> with_arguments("--save-every must be at least 1, got 0")
    'save_every must be at least 1, got 0'
    >>> with_arguments("use --wrappers.no-show-action")
    'use wrappers.show_action=False'
    """
    return FLAG.sub(lambda match: _argument(match[1].replace("-", "_")), message)


def unknown(kind: str, value: str, known: Iterable[str], stem: str = "") -> UsageError:
    """Return the error for an unknown name; the message suggests similar names.

    Args:
        kind: what the name stands for, e.g. ``"preset"``.
        value: the name received.
        known: the names that exist.
        stem: the part of the name that matters if no whole name is similar.

    >>> str(unknown("preset", "tutoral", ["tutorial", "fast"]))
    "unknown preset 'tutoral'; did you mean 'tutorial'?"
    >>> str(unknown("button", "x", "abcdefghi"))
    "unknown button 'x'; none of the 9 known names is similar"
    """
    names = sorted(known)
    hints = similar(value, names) or (similar(stem, names) if stem else [])
    if not hints and len(names) > MAX_LISTED:
        return UsageError(
            f"unknown {kind} {value!r}; none of the {len(names):,} known names is similar"
        )
    hint = " or ".join(repr(name) for name in hints or names)
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


def _argument(option: str) -> str:
    return TURNED_OFF.sub(r"\1\2=False", option)


def _similarity(value: str, name: str) -> float:
    """Return the ratio of equal characters, plus 1 if the name contains the value."""
    return difflib.SequenceMatcher(None, name, value).ratio() + (value in name)
