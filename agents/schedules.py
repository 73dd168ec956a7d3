"""Schedules: values as functions of the step.

Each schedule is a closed-form function of the step. It has no state, so resuming needs only the
step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

Schedule = Callable[[int], float]


@dataclass(frozen=True)
class Constant:
    """A constant value.

    >>> Constant(0.1)(1_000)
    0.1
    """

    value: float

    def __call__(self, step: int) -> float:
        """Return the value at ``step``."""
        return self.value


@dataclass(frozen=True)
class Linear:
    """Linear interpolation from ``start`` to ``end`` over ``steps`` steps, constant afterwards.

    >>> [Linear(1.0, 0.0, steps=4)(step) for step in (0, 1, 4, 9)]
    [1.0, 0.75, 0.0, 0.0]

    Raises:
        ValueError: ``steps`` is less than 1.
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps is {self.steps}; give 1 or more")

    def __call__(self, step: int) -> float:
        """Return the value at ``step``."""
        return self.start + (self.end - self.start) * min(step / self.steps, 1.0)


@dataclass(frozen=True)
class Exponential:
    """Exponential decay: ``start`` times ``decay`` per step, at least ``minimum``.

    >>> [Exponential(1.0, decay=0.5, minimum=0.2)(step) for step in (0, 1, 2, 3)]
    [1.0, 0.5, 0.25, 0.2]

    Raises:
        ValueError: ``decay`` is not in (0, 1], or ``start`` is below ``minimum``.
    """

    start: float
    decay: float
    minimum: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.decay <= 1.0:
            raise ValueError(f"decay is {self.decay}; give a number above 0 and up to 1")
        if self.start < self.minimum:
            raise ValueError(f"start is {self.start}; give at least the minimum, {self.minimum}")

    def __call__(self, step: int) -> float:
        """Return the value at ``step``."""
        return max(self.minimum, self.start * self.decay**step)


@dataclass(frozen=True)
class Piecewise:
    """Linear interpolation between points, constant before the first and after the last.

    Attributes:
        points: ``(step, value)`` pairs with increasing steps.

    >>> fall = Piecewise(((0, 1.0), (100, 0.1), (200, 0.0)))
    >>> [round(fall(step), 3) for step in (0, 50, 100, 150, 900)]
    [1.0, 0.55, 0.1, 0.05, 0.0]

    Raises:
        ValueError: There is no point, or the steps do not increase.
    """

    points: tuple[tuple[int, float], ...]

    def __post_init__(self) -> None:
        steps = [step for step, _ in self.points]
        if not steps or any(later <= sooner for sooner, later in pairwise(steps)):
            raise ValueError(
                f"points have the steps {steps}; give at least one, in increasing order"
            )

    def __call__(self, step: int) -> float:
        """Return the value at ``step``."""
        before = [point for point in self.points if point[0] <= step]
        after = [point for point in self.points if point[0] > step]
        if not before or not after:
            return self.points[-1 if before else 0][1]
        (left, low), (right, high) = before[-1], after[0]
        return low + (high - low) * (step - left) / (right - left)


def crossings(every: int, since: int, now: int) -> int:
    """Return the number of multiples of ``every`` in the interval ``(since, now]``.

    >>> crossings(3, since=2, now=10)
    3
    >>> crossings(3, since=3, now=5)
    0
    """
    return now // every - since // every
