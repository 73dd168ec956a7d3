"""Checks of configuration values; errors name the flag, the value and the valid range."""

from __future__ import annotations

from mario.errors import UsageError


def require_at_least(flag: str, value: float, minimum: float) -> None:
    """Check that a value is not below its minimum.

    Raises:
        UsageError: ``value`` is less than ``minimum``, or NaN.
    """
    if not value >= minimum:
        raise UsageError(f"{flag} must be at least {minimum:,}, got {value}")


def require_positive(flag: str, value: float) -> None:
    """Check that a value is above 0.

    Raises:
        UsageError: ``value`` is 0, negative or NaN.
    """
    if not value > 0:
        raise UsageError(f"{flag} must be above 0, got {value}")


def require_at_most(flag: str, value: float, maximum: float, reason: str) -> None:
    """Check that a value is not above its maximum.

    Args:
        flag: the flag.
        value: the value received.
        maximum: the largest valid value.
        reason: why there is a maximum, as the end of a sentence after "because".

    Raises:
        UsageError: ``value`` is greater than ``maximum``, or NaN.

    >>> require_at_most("--num-envs", 2000, 1024, "no machine can step more at once")
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: num_envs must be at most 1,024, because no machine can step more \
at once, got 2000
    """
    if not value <= maximum:
        raise UsageError(f"{flag} must be at most {maximum:,}, because {reason}, got {value}")


def require_probability(flag: str, value: float) -> None:
    """Check that a value is between 0 and 1.

    Raises:
        UsageError: it is not.
    """
    if not 0 <= value <= 1:
        raise UsageError(f"{flag} must be between 0 and 1, got {value}")
