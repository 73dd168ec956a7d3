"""The bar, on a terminal that is none."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mario.metrics import progress_bar as progress
from mario.metrics.progress_bar import ProgressBar, ProgressPoint, seconds_left


class Terminal(io.StringIO):
    """Says that it is a terminal."""

    def isatty(self) -> bool:
        return True

    @property
    def line(self) -> str:
        """What stands on its last line."""
        return self.getvalue().split("\r")[-1].strip()


class Clock:
    """A clock that goes only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setenv("COLUMNS", "200")
    return clock


@contextmanager
def bar_on_a_terminal(
    *totals: int | None, **initial: int
) -> Iterator[tuple[ProgressBar, Terminal]]:
    with redirect_stderr(Terminal()) as terminal, ProgressBar(*totals, **initial) as bar:
        yield bar, terminal


def test_the_bar_tells_how_far_how_fast_and_how_long(clock):
    with bar_on_a_terminal(100, 10_000) as (bar, terminal):
        clock.now = 10.0
        bar.update(2000, 10, reward=667.38)
        assert terminal.line.startswith("20.0%|####      ")
        assert terminal.line.endswith(
            "| 10 episodes, 2,000 steps, 200 steps/s, 00:40 left, reward 667.4"
        )


def test_a_run_without_an_end_has_no_share_and_no_time_left(clock):
    with bar_on_a_terminal(None, None) as (bar, terminal):
        clock.now = 1.0
        bar.update(50, 1)
        assert terminal.line == "1 episodes, 50 steps, 50 steps/s"


def test_what_earlier_sessions_did_counts_but_not_as_speed(clock):
    with bar_on_a_terminal(None, 10_000, initial_episodes=3, initial_steps=5000) as (bar, terminal):
        clock.now = 10.0
        bar.update(1000, 1)
        assert terminal.line.startswith("60.0%|")
        assert terminal.line.endswith("| 4 episodes, 6,000 steps, 100 steps/s, 00:40 left")


def test_the_pace_is_that_of_late(clock):
    with bar_on_a_terminal(None, 1_000_000) as (bar, terminal):
        for _ in range(200):
            clock.now += 1.0
            bar.update(1000, 0)
        for _ in range(40):
            clock.now += 1.0
            bar.update(10, 0)
        assert "10 steps/s" in terminal.line


def test_the_bar_is_redrawn_only_now_and_then(clock):
    with bar_on_a_terminal(None, 1_000_000) as (bar, terminal):
        before = terminal.getvalue()
        for _ in range(100):
            clock.now += 0.001
            bar.update(1, 0)
        assert terminal.getvalue() == before


def test_a_line_goes_to_stdout_and_the_bar_comes_back(clock, capsys):
    with bar_on_a_terminal(None, 100) as (bar, terminal):
        clock.now = 1.0
        bar.update(50, 0)
        bar.write("saved")
        assert capsys.readouterr().out == "saved\n"
        *_, cleared, line = terminal.getvalue().split("\r")
        assert cleared.strip() == ""
        assert line.startswith(" 50.0%|")


def test_nothing_is_drawn_where_stderr_is_no_terminal(clock, capsys):
    with ProgressBar(10, 100) as bar:
        clock.now = 1.0
        bar.update(50, 5)
        bar.write("saved")
    assert capsys.readouterr() == ("saved\n", "")


def test_a_closed_bar_is_gone(clock):
    with bar_on_a_terminal(None, 100) as (bar, terminal):
        clock.now = 1.0
        bar.update(50, 0)
        bar.close()
        assert terminal.line == ""


@given(st.integers(1, 10**6), st.integers(1, 10**4), st.integers(1, 10**6), st.integers(1, 10**4))
def test_the_total_that_is_met_first_ends_the_run(steps, episodes, more_steps, more_episodes):
    def left(total_steps, total_episodes):
        last = ProgressPoint(10.0, steps, episodes)
        return seconds_left(ProgressPoint(0.0, 0, 0), last, total_steps, total_episodes)

    total_steps, total_episodes = steps + more_steps, episodes + more_episodes
    alone = [left(total_steps, None), left(None, total_episodes)]
    assert left(total_steps, total_episodes) == min(alone)
    assert alone == pytest.approx([10 * more_steps / steps, 10 * more_episodes / episodes])


def test_a_run_that_stands_still_has_no_known_end():
    assert seconds_left(ProgressPoint(0.0, 5, 1), ProgressPoint(9.0, 5, 1), 10, 10) is None
