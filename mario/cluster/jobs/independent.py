"""Independent jobs on the workers of a fleet: a job whose worker is lost runs again elsewhere."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mario.cluster.protocol import Answer, Fleet
from mario.cluster.roster import Roster
from mario.cluster.workers.messages import Start


class JobWorker:
    """A worker that calls functions.

    Args:
        setup: not used.
    """

    def __init__(self, setup: Any) -> None:
        del setup

    def start(self, start: Start) -> None:
        """Do nothing: a job needs no state."""

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what the function returns."""
        return function(*arguments)

    def close(self) -> None:
        """Do nothing."""


def run_jobs(
    fleet: Fleet,
    function: Callable[..., Any],
    jobs: Sequence[tuple[Any, ...]],
    *,
    report: Callable[[str], None],
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[int, Any]]:
    """Call a function for each job on whichever worker is free.

    Args:
        fleet: `JobWorker` objects, which are not hired yet.
        function: is called with the arguments of a job.
        jobs: the arguments of each job.
        report: receives one line for each worker that is lost.
        stop: polled; True ends the iteration early.

    Yields:
        The index of a job and its result, in the order in which the jobs end.

    Raises:
        RunError: no worker is ready in time, or one is lost too often.
    """
    fleet.hire(lambda worker, life: None, [0] * fleet.size)
    roster = Roster(fleet, lambda worker, life: Start({}, 0), report)
    pending, running = deque(range(len(jobs))), dict[int, int]()
    while (pending or running) and not stop():
        if fleet.trouble is not None:
            raise fleet.trouble
        roster.gather(1, stop)
        for worker in sorted(roster.ready - running.keys())[: len(pending)]:
            running[worker] = pending.popleft()
            fleet.submit(worker, "run", function, *jobs[running[worker]])
        for event in roster.poll():
            job = running.pop(event.worker, None)
            if isinstance(event, Answer) and job is not None:
                yield job, event.value
            elif job is not None:
                pending.appendleft(job)
