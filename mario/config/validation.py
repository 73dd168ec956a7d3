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


def require_probability(flag: str, value: float) -> None:
    """Check that a value is between 0 and 1.

    Raises:
        UsageError: it is not.
    """
    if not 0 <= value <= 1:
        raise UsageError(f"{flag} must be between 0 and 1, got {value}")
