"""A progress bar with speed and remaining time."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Any, NamedTuple, Self

from tqdm import tqdm

from mario.system.announce import counted

BAR_WIDTH = 20
BAR_FORMAT = f"{{percentage:5.1f}}%|{{bar:{BAR_WIDTH}}}| {{desc}}"
REDRAW_SECONDS = 0.25
SPEED_SECONDS = 30.0
"""The speed is the mean over this time."""


class ProgressPoint(NamedTuple):
    """The progress of a run at one moment.

    Attributes:
        seconds: the moment, on a monotonic clock.
        steps: agent steps so far.
        episodes: episodes so far.
    """

    seconds: float
    steps: int
    episodes: int


def seconds_left(
    first: ProgressPoint, last: ProgressPoint, total_steps: int | None, total_episodes: int | None
) -> float | None:
    """Estimate the remaining time of a run, which ends at the total that it reaches first.

    Args:
        first: the earlier point.
        last: the later point.
        total_steps: agent steps of the whole run, None if they do not limit it.
        total_episodes: episodes of the whole run, None if they do not limit it.

    Returns:
        Seconds at the speed between the two points, None if there was no progress.

    >>> first, last = ProgressPoint(0.0, 0, 0), ProgressPoint(10.0, 100, 5)
    >>> seconds_left(first, last, total_steps=200, total_episodes=8)
    6.0
    """
    elapsed = last.seconds - first.seconds
    estimates = [
        (total - now) * elapsed / (now - before)
        for now, before, total in (
            (last.steps, first.steps, total_steps),
            (last.episodes, first.episodes, total_episodes),
        )
        if total is not None and now > before
    ]
    return max(min(estimates), 0.0) if estimates else None


class ProgressBar:
    """A progress bar on stderr. If stderr is no terminal, only `write` has an effect.

    Args:
        total_episodes: episodes of the whole run, None if they do not limit it.
        total_steps: agent steps of the whole run, None if they do not limit it.
        goal: what else ends the run, for example ``"until 95% are cleared"``.
    """

    def __init__(
        self, total_episodes: int | None, total_steps: int | None, goal: str | None = None
    ) -> None:
        self._total_episodes, self._total_steps, self._goal = total_episodes, total_steps, goal
        has_end = total_episodes is not None or total_steps is not None
        options: dict[str, Any] = {
            "total": 1.0,
            "file": sys.stderr,
            "leave": False,
            "dynamic_ncols": True,
            "bar_format": BAR_FORMAT if has_end else "{desc}",
        }
        try:
            self._bar: Any = tqdm(disable=None, **options)
        except OSError:  # stderr is closed
            self._bar = tqdm(disable=True, **options)
        self.start_at(0, 0)

    def start_at(self, steps: int, episodes: int) -> None:
        """Set the progress of earlier sessions, which does not count for the speed."""
        self._points = deque([ProgressPoint(time.monotonic(), steps, episodes)])

    def update(self, steps: int, episodes: int) -> None:
        """Set the progress, and redraw the bar if it is time.

        Args:
            steps: agent steps so far.
            episodes: episodes so far.
        """
        now = time.monotonic()
        if not self._bar.disable and now - self._points[-1].seconds >= REDRAW_SECONDS:
            self._points.append(ProgressPoint(now, steps, episodes))
            while now - self._points[0].seconds > SPEED_SECONDS and len(self._points) > 2:
                self._points.popleft()
            try:
                self._draw()
            except OSError:  # the reader of stderr has closed it
                self._bar.disable = True

    def write(self, line: str) -> None:
        """Print a line on stdout, above the bar.

        If stdout is closed, or is a file on a full disk, the line is lost and the run goes on.
        """
        try:
            with tqdm.external_write_mode(file=sys.stdout):
                print(line, flush=True)
        except BrokenPipeError:
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - Python flushes it at exit
        except OSError:
            pass

    def close(self) -> None:
        """Remove the bar. Closing twice is harmless."""
        with suppress(OSError):
            self._bar.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _draw(self) -> None:
        first, last = self._points[0], self._points[-1]
        speed = (last.steps - first.steps) / (last.seconds - first.seconds)
        counts = [counted(last.episodes, "episode"), counted(last.steps, "step")]
        parts = [*counts, f"{speed:,.0f} steps/s"]
        left = seconds_left(first, last, self._total_steps, self._total_episodes)
        if left is not None:
            parts.append(f"{tqdm.format_interval(left)} left")
        progress = [
            now / total
            for now, total in (
                (last.steps, self._total_steps),
                (last.episodes, self._total_episodes),
            )
            if total
        ]
        self._bar.n = min(max(progress, default=0.0), 1.0)
        if self._goal is not None:
            parts.append(self._goal)
        self._bar.set_description_str(_fit(parts, BAR_WIDTH + 10 if progress else 1))


def _fit(parts: list[str], taken: int) -> str:
    """Return the last parts that fit into a line of the terminal.

    Args:
        parts: the most important one comes last.
        taken: number of columns that are taken.
    """
    columns = shutil.get_terminal_size().columns
    while len(parts) > 1 and len(", ".join(parts)) > columns - taken:
        parts = parts[1:]
    return ", ".join(parts)
