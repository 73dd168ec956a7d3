"""Searches on a cluster: each search, from one start of one game, is a job of one worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mario.cluster.jobs.independent import run_jobs
from mario.cluster.protocol import Fleet
from mario.search.find import SearchOptions, SearchReport, find_demonstration


@dataclass(frozen=True)
class Search:
    """A search from one start.

    Attributes:
        game: ID of the game.
        options: how to search.
        seconds: time after which the search ends without a play that reaches the goal.
    """

    game: str
    options: SearchOptions
    seconds: float


def search_on_fleet(
    searches: Sequence[Search],
    fleet: Fleet,
    *,
    report: Callable[[str], None],
    stop: Callable[[], bool],
) -> Iterator[tuple[Search, SearchReport]]:
    """Make searches on the workers of a fleet.

    Args:
        searches: the searches.
        fleet: `mario.cluster.jobs.independent.JobWorker` objects, which are not hired yet.
        report: receives one line for each worker that is lost.
        stop: polled; True ends the iteration early.

    Yields:
        A search and what it found, in the order in which the searches end.
    """
    jobs = [(search,) for search in searches]
    for index, found in run_jobs(fleet, make_search, jobs, report=report, stop=stop):
        yield searches[index], found


def make_search(search: Search) -> SearchReport:
    """Make a search in this process."""
    end = time.monotonic() + search.seconds
    return find_demonstration(
        search.game, search.options, should_stop=lambda: time.monotonic() > end
    )
