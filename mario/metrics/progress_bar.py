"""A bar that shows how far a run is, how fast, and how long it will yet take."""

from __future__ import annotations

import sys
import time
from collections import deque
from types import TracebackType
from typing import Any, NamedTuple, Self

from tqdm import tqdm

REDRAW_SECONDS = 0.25
RATE_SECONDS = 30.0


class ProgressPoint(NamedTuple):
    """How far a run was at a time.

    Attributes:
        seconds: the time, on a clock that never goes back.
        steps: decisions so far.
        episodes: episodes so far.
    """

    seconds: float
    steps: int
    episodes: int


def seconds_left(
    first: ProgressPoint, last: ProgressPoint, total_steps: int | None, total_episodes: int | None
) -> float | None:
    """How long a run will yet take, at its pace between two moments, to the total it meets first.

    Args:
        first: the earlier moment.
        last: the later moment.
        total_steps: the decisions it ends after, if any.
        total_episodes: the episodes it ends after, if any.

    Returns:
        Seconds, or None where that cannot be told.

    >>> seconds_left(ProgressPoint(0.0, 0, 0), ProgressPoint(10.0, 100, 5), total_steps=200, total_episodes=8)
    6.0
    """
    elapsed = last.seconds - first.seconds
    ends = [
        (total - now) * elapsed / (now - before)
        for total, now, before in (
            (total_steps, last.steps, first.steps),
            (total_episodes, last.episodes, first.episodes),
        )
        if total is not None and now > before
    ]
    return max(min(ends), 0.0) if ends else None


class ProgressBar:
    """A bar on stderr; where that is no terminal there is none, and only `write` does anything.

    Args:
        total_episodes: how many episodes the run has, None for as many as it takes.
        total_steps: how many decisions the run has, None for as many as it takes.
        initial_episodes: episodes of earlier sessions.
        initial_steps: decisions of earlier sessions.
    """

    def __init__(
        self,
        total_episodes: int | None,
        total_steps: int | None,
        *,
        initial_episodes: int = 0,
        initial_steps: int = 0,
    ) -> None:
        self._total_episodes = total_episodes
        self._total_steps = total_steps
        has_end = total_episodes is not None or total_steps is not None
        self._bar: Any = tqdm(
            total=1.0,
            file=sys.stderr,
            disable=None,
            leave=False,
            dynamic_ncols=True,
            bar_format="{percentage:5.1f}%|{bar:20}| {desc}" if has_end else "{desc}",
        )
        self.start_at(initial_steps, initial_episodes)

    def start_at(self, steps: int, episodes: int) -> None:
        """Go on from what earlier sessions did, which says nothing of this one's pace."""
        self._steps, self._episodes = steps, episodes
        self._moments = deque([ProgressPoint(time.monotonic(), steps, episodes)])

    def update(self, steps: int, episodes: int, **shown: float) -> None:
        """Count in what has been done since the last call.

        Args:
            steps: decisions more.
            episodes: episodes more.
            shown: numbers to show beside the bar, by name.
        """
        self._steps += steps
        self._episodes += episodes
        now = time.monotonic()
        if not self._bar.disable and now - self._moments[-1].seconds >= REDRAW_SECONDS:
            self._moments.append(ProgressPoint(now, self._steps, self._episodes))
            while now - self._moments[0].seconds > RATE_SECONDS and len(self._moments) > 2:
                self._moments.popleft()
            self._draw(shown)

    def write(self, line: str) -> None:
        """Print a line on stdout, above the bar."""
        with tqdm.external_write_mode(file=sys.stdout):
            print(line, flush=True)

    def close(self) -> None:
        """Take the bar away. Closing twice is harmless."""
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

    def _draw(self, shown: dict[str, float]) -> None:
        first, last = self._moments[0], self._moments[-1]
        rate = (last.steps - first.steps) / (last.seconds - first.seconds)
        parts = [f"{last.episodes:,} episodes", f"{last.steps:,} steps", f"{rate:,.0f} steps/s"]
        left = seconds_left(first, last, self._total_steps, self._total_episodes)
        if left is not None:
            parts.append(f"{tqdm.format_interval(left)} left")
        parts += [f"{name} {value:.4g}" for name, value in shown.items()]
        done = [
            now / total
            for now, total in (
                (last.steps, self._total_steps),
                (last.episodes, self._total_episodes),
            )
            if total
        ]
        self._bar.n = min(max(done, default=0.0), 1.0)
        self._bar.set_description_str(", ".join(parts))
