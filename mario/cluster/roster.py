"""The workers of a fleet that take part in training."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mario.cluster.protocol import Answer, Event, Fleet, Joined, Lost
from mario.cluster.workers.messages import Start
from mario.errors import RunError
from mario.system.announce import counted

JOIN_SECONDS = 60.0
"""Time in which workers must be ready to take part in the start of a run."""
PATIENCE = 3
"""Multiple of this time after which a run without any worker that is ready stops."""
POLL_SECONDS = 0.5


class Roster:
    """Starts workers that join a fleet, and keeps account of those that are ready and lost.

    Args:
        fleet: the fleet.
        make_start: returns the point at which a worker starts from its index and life.
        report: receives one line for each worker that joins or is lost.
        join_seconds: see `JOIN_SECONDS`.
        clock: returns the time of a monotonic clock in seconds.

    Attributes:
        ready: workers that have started.
    """

    def __init__(
        self,
        fleet: Fleet,
        make_start: Callable[[int, int], Start],
        report: Callable[[str], None],
        *,
        join_seconds: float = JOIN_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ready: set[int] = set()
        self._fleet, self._make_start, self._report = fleet, make_start, report
        self._join_seconds, self._clock = join_seconds, clock
        self._starting: set[int] = set()

    def poll(self, timeout: float = POLL_SECONDS) -> list[Answer | Lost]:
        """Wait for events; return those that concern workers which are or were ready."""
        events = [self._sort(event) for event in self._fleet.wait(timeout)]
        return [event for event in events if event is not None]

    def gather(self, wanted: int, stop: Callable[[], bool] = lambda: False) -> None:
        """Wait until enough workers are ready, or for the time to join if there is at least one.

        Args:
            wanted: number of workers.
            stop: polled; True ends the wait.

        Raises:
            RunError: no worker is ready in time.
        """
        start, patience = self._clock(), PATIENCE * self._join_seconds
        while len(self.ready) < wanted and not stop():
            if self._clock() - start > (self._join_seconds if self.ready else patience):
                break
            self.poll()
        if not self.ready and not stop():
            raise RunError(
                f"no worker of {self._fleet.address} was ready within {patience:.0f} s; "
                "check its free cores with mario-cluster check, then continue with --resume"
            )
        if len(self.ready) < wanted:
            self._report(
                f"{len(self.ready)} of {counted(self._fleet.size, 'worker')} are ready; "
                "the others join when there are free cores"
            )

    def ask(self, workers: set[int], method: str, *arguments: Any) -> dict[int, Any]:
        """Call a method of idle workers, and return the answers of those that are not lost."""
        return self.collect({worker: (method, *arguments) for worker in workers})

    def collect(self, calls: dict[int, tuple[Any, ...]]) -> dict[int, Any]:
        """Make one call of each worker and return the answers; see `ask`.

        Args:
            calls: the method and its arguments by worker. The workers must be idle.
        """
        for worker, (method, *arguments) in calls.items():
            self._fleet.submit(worker, method, *arguments)
        waiting, answers = set(calls), dict[int, Any]()
        while waiting:
            for event in self.poll():
                waiting.discard(event.worker)
                if isinstance(event, Answer):
                    answers[event.worker] = event.value
        return answers

    def dismiss(self, worker: int, reason: str) -> None:
        """Replace a worker that is ready, at a time when no worker that is ready has a call."""
        self._fleet.dismiss(worker, reason)
        self.poll(0)  # so that nothing is asked of its replacement before that is ready

    def _sort(self, event: Event) -> Answer | Lost | None:
        """Handle what concerns workers that are not ready yet; return all else."""
        worker = event.worker
        if isinstance(event, Joined):
            self._starting.add(worker)
            self._fleet.submit(worker, "start", self._make_start(worker, event.life))
            return None
        was_ready = worker in self.ready
        if isinstance(event, Lost):
            self._report(f"worker {worker} is lost ({event.reason}); a replacement is on its way")
            self.ready.discard(worker)
            self._starting.discard(worker)
            return event if was_ready else None
        if worker in self._starting:
            self._starting.discard(worker)
            self.ready.add(worker)
            return None
        return event
