from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.schedules import Constant, Exponential, Linear, Piecewise, crossings


def test_a_constant_stays():
    assert [Constant(0.3)(step) for step in (0, 10**9)] == [0.3, 0.3]


def test_a_line_goes_from_start_to_end_and_stays_there():
    line = Linear(1.0, 0.2, steps=8)
    assert [line(step) for step in (0, 4, 8, 80)] == pytest.approx([1.0, 0.6, 0.2, 0.2])


def test_exponential_decay_is_that_of_the_tutorials_loop():
    rate, schedule = 1.0, Exponential(1.0, decay=0.999, minimum=0.1)
    for step in range(5_000):
        assert schedule(step) == pytest.approx(rate, rel=1e-9)
        rate = max(0.1, rate * 0.999)


def test_the_tutorials_exploration_reaches_its_minimum_at_nine_million_decisions():
    schedule = Exponential(1.0, decay=0.99999975, minimum=0.1)
    assert schedule(9_210_000) > 0.1
    assert schedule(9_211_000) == 0.1


@given(st.integers(-5, 40))
def test_piecewise_interpolates_linearly_between_points(step: int):
    pieces = Piecewise(((0, 1.0), (10, 0.5), (30, 0.0)))
    first, second = Linear(1.0, 0.5, steps=10), Linear(0.5, 0.0, steps=20)
    expected = first(max(step, 0)) if step <= 10 else second(step - 10)
    assert pieces(step) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Linear(1.0, 0.0, steps=0), "steps is 0; give 1 or more"),
        (lambda: Exponential(1.0, decay=1.1), "decay is 1.1; give a number above 0"),
        (lambda: Exponential(0.0, decay=0.9, minimum=0.1), "start is 0.0; give at least the min"),
        (lambda: Piecewise(()), r"points have the steps \[\]"),
        (lambda: Piecewise(((5, 1.0), (5, 0.0))), r"the steps \[5, 5\]; give .* increasing order"),
    ],
)
def test_invalid_schedules_are_rejected(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@given(st.integers(1, 20), st.lists(st.integers(0, 30), max_size=8))
def test_crossings_of_consecutive_intervals_add_up(every: int, parts: list[int]):
    counts = [sum(parts[:end]) for end in range(len(parts) + 1)]
    crossed = sum(crossings(every, *pair) for pair in pairwise(counts))
    assert crossed == len([count for count in range(1, counts[-1] + 1) if count % every == 0])
