"""Tests of the progress bar."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

import pytest
from clock import Clock
from hypothesis import given
from hypothesis import strategies as st

from mario.metrics import progress_bar as progress
from mario.metrics.progress_bar import ProgressBar, ProgressPoint, seconds_left


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True

    @property
    def line(self) -> str:
        """The text of the last line."""
        return self.getvalue().split("\r")[-1].strip()


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setenv("COLUMNS", "200")
    return clock


@contextmanager
def bar_on_a_terminal(*totals: int | str | None) -> Iterator[tuple[ProgressBar, Terminal]]:
    with redirect_stderr(Terminal()) as terminal, ProgressBar(*totals) as bar:
        yield bar, terminal


def test_the_bar_shows_progress_speed_and_remaining_time(clock):
    with bar_on_a_terminal(100, 10_000) as (bar, terminal):
        clock.now = 10.0
        bar.update(2000, 10)
        assert terminal.line.startswith("20.0%|####      ")
        assert terminal.line.endswith("| 10 episodes, 2,000 steps, 200 steps/s, 00:40 left")


@pytest.mark.parametrize("totals", [(None, 10_000_000), (40_000, None), (None, None)])
def test_the_line_fits_into_80_columns(clock, monkeypatch, totals):
    monkeypatch.setenv("COLUMNS", "80")
    with bar_on_a_terminal(*totals, "until 95% are cleared") as (bar, terminal):
        clock.now = 10.0
        bar.update(1_234_567, 20_000)
        assert len(terminal.line) < 80
        assert terminal.line.endswith("until 95% are cleared")


def test_a_run_without_totals_has_no_percentage_and_no_remaining_time(clock):
    with bar_on_a_terminal(None, None) as (bar, terminal):
        clock.now = 1.0
        bar.update(50, 1)
        assert terminal.line == "1 episode, 50 steps, 50 steps/s"


def test_earlier_sessions_count_as_progress_but_not_as_speed(clock):
    with bar_on_a_terminal(None, 10_000) as (bar, terminal):
        bar.start_at(5000, 3)
        clock.now = 10.0
        bar.update(6000, 4)
        assert terminal.line.startswith("60.0%|")
        assert terminal.line.endswith("| 4 episodes, 6,000 steps, 100 steps/s, 00:40 left")


def test_the_speed_is_the_recent_one(clock):
    steps = 0
    with bar_on_a_terminal(None, 1_000_000) as (bar, terminal):
        for more in [1000] * 200 + [10] * 40:
            clock.now += 1.0
            steps += more
            bar.update(steps, 0)
        assert "| 200,400 steps, 10 steps/s" in terminal.line.replace("0 episodes, ", "")


def test_the_bar_is_not_redrawn_at_every_update(clock):
    with bar_on_a_terminal(None, 1_000_000) as (bar, terminal):
        before = terminal.getvalue()
        for steps in range(100):
            clock.now += 0.001
            bar.update(steps, 0)
        assert terminal.getvalue() == before


def test_a_line_is_printed_on_stdout_and_the_bar_is_redrawn(clock, capsys):
    with bar_on_a_terminal(None, 100) as (bar, terminal):
        clock.now = 1.0
        bar.update(50, 0)
        bar.write("saved")
        assert capsys.readouterr().out == "saved\n"
        *_, cleared, line = terminal.getvalue().split("\r")
        assert cleared.strip() == ""
        assert line.startswith(" 50.0%|")


def test_nothing_is_drawn_if_stderr_is_no_terminal(clock, capsys):
    with ProgressBar(10, 100) as bar:
        clock.now = 1.0
        bar.update(50, 5)
        bar.write("saved")
    assert capsys.readouterr() == ("saved\n", "")


def test_closing_removes_the_bar(clock):
    with bar_on_a_terminal(None, 100) as (bar, terminal):
        clock.now = 1.0
        bar.update(50, 0)
        bar.close()
        assert terminal.line == ""


@given(st.integers(1, 10**6), st.integers(1, 10**4), st.integers(1, 10**6), st.integers(1, 10**4))
def test_the_total_that_is_reached_first_ends_the_run(steps, episodes, more_steps, more_episodes):
    def left(total_steps, total_episodes):
        last = ProgressPoint(10.0, steps, episodes)
        return seconds_left(ProgressPoint(0.0, 0, 0), last, total_steps, total_episodes)

    total_steps, total_episodes = steps + more_steps, episodes + more_episodes
    separate = [left(total_steps, None), left(None, total_episodes)]
    assert left(total_steps, total_episodes) == min(separate)
    assert separate == pytest.approx([10 * more_steps / steps, 10 * more_episodes / episodes])


def test_without_progress_the_remaining_time_is_unknown():
    assert seconds_left(ProgressPoint(0.0, 5, 1), ProgressPoint(9.0, 5, 1), 10, 10) is None


SCRIPT = """
import sys
from mario.metrics.progress_bar import ProgressBar
sys.stderr.isatty = lambda: True
with ProgressBar(10, None) as bar:
    for step in range(2_000):
        bar.write("a line")
        bar._points[-1] = bar._points[-1]._replace(seconds=0.0)
        bar.update(step, step)
open(sys.argv[1], "w").write("done")
"""


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_reader_that_goes_away_does_not_end_the_run(tmp_path, closed):
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, tmp_path / "end"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        getattr(process, closed).close()
        other = process.stderr if closed == "stdout" else process.stdout
        output = other.read()
    assert (tmp_path / "end").read_text() == "done"
    if closed == "stdout":
        assert (process.returncode, b"Exception ignored" in output) == (0, False)


def test_a_full_disk_behind_stdout_does_not_end_the_run(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    with open("/dev/full", "w") as full:
        subprocess.run([sys.executable, "-c", SCRIPT, tmp_path / "end"], stdout=full, check=False)
    assert (tmp_path / "end").read_text() == "done"
