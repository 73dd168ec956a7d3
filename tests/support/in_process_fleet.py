"""A fleet whose workers live in this process, without Ray."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from mario.cluster.protocol import Answer, Event, Joined, Lost
from mario.errors import RunError


class InProcessFleet:
    """Runs the calls one after another, in the order in which they were submitted.

    It does all that `mario.cluster.fleet.RayFleet` does, in one process and reproducibly.

    Args:
        make_worker: makes a worker from its setup.
        size: number of workers.

    Attributes:
        size: number of workers.
        trouble: None.
        workers: the workers by index.
    """

    address = "this process"

    def __init__(self, make_worker: Callable[[Any], Any], size: int) -> None:
        self.size = size
        self.trouble: RunError | None = None
        self.workers: dict[int, Any] = {}
        self._make_worker = make_worker
        self._lives: list[int] = []
        self._calls: deque[tuple[int, str, tuple[Any, ...]]] = deque()
        self._events: list[Event] = []

    def hire(self, make_setup: Callable[[int, int], Any], lives: list[int]) -> None:
        """Make all workers."""
        self._make_setup, self._lives = make_setup, list(lives)
        for worker in range(self.size):
            self._make(worker)

    def publish(self, message: Any) -> Any:
        """Return the message itself."""
        return message

    def submit(self, worker: int, method: str, *arguments: Any) -> None:
        """Call a method in the next `wait`."""
        self._calls.append((worker, method, arguments))

    def wait(self, timeout: float) -> list[Event]:
        """Run one call and return its answer, after the workers that joined or were lost."""
        del timeout
        if not self._events and self._calls:
            worker, method, arguments = self._calls.popleft()
            try:
                value = getattr(self.workers[worker], method)(*arguments)
            except Exception as error:
                self.dismiss(worker, f"{type(error).__name__}: {error}")
            else:
                self._events.append(Answer(worker, value))
        events, self._events = self._events, []
        return events

    def dismiss(self, worker: int, reason: str) -> None:
        """Replace a worker."""
        self.workers.pop(worker).close()
        self._calls = deque(call for call in self._calls if call[0] != worker)
        self._events.append(Lost(worker, reason))
        self._lives[worker] += 1
        self._make(worker)

    def close(self) -> None:
        """Close all workers."""
        for worker in self.workers.values():
            worker.close()
        self.workers.clear()

    def _make(self, worker: int) -> None:
        life = self._lives[worker]
        self.workers[worker] = self._make_worker(self._make_setup(worker, life))
        self._events.append(Joined(worker, life))
