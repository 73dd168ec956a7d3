"""The interface of a fleet of workers, and what happens in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from mario.errors import RunError


@dataclass(frozen=True)
class Hello:
    """What a new worker says of itself.

    Attributes:
        machine: host name.
        pid: process ID.
        versions: see `mario.cluster.workers.versions.running_versions`.
    """

    machine: str
    pid: int
    versions: dict[str, str]


@dataclass(frozen=True)
class Joined:
    """A worker is ready for calls.

    Attributes:
        worker: its index.
        life: see `WorkerSetup`.
    """

    worker: int
    life: int


@dataclass(frozen=True)
class Answer:
    """The result of a call.

    Attributes:
        worker: index of the worker.
        value: what the method returned.
    """

    worker: int
    value: Any


@dataclass(frozen=True)
class Lost:
    """A worker is gone; its unanswered calls will not be answered.

    Attributes:
        worker: its index.
        reason: why, in a few words.
    """

    worker: int
    reason: str


Event = Joined | Answer | Lost


class Fleet(Protocol):
    """Workers that answer calls. A lost worker is replaced; `wait` says so.

    Attributes:
        size: number of workers wanted.
        address: where the workers are, for messages.
        trouble: why training must stop, such as a lost head of the cluster; None if all is well.
    """

    size: int
    address: str
    trouble: RunError | None

    def hire(self, make_setup: Callable[[int, int], Any], lives: list[int]) -> None:
        """Start all workers.

        Args:
            make_setup: returns the setup of a worker from its index and life.
            lives: the life of each worker.
        """

    def publish(self, message: Any) -> Any:
        """Return a reference to a message that can be an argument of many calls."""

    def submit(self, worker: int, method: str, *arguments: Any) -> None:
        """Call a method of a worker that has joined; `wait` returns the answer."""

    def wait(self, timeout: float) -> list[Event]:
        """Return what has happened since the last call, after at most ``timeout`` seconds."""

    def dismiss(self, worker: int, reason: str) -> None:
        """Replace a worker that has joined but is not usable; `wait` reports it as lost."""

    def close(self) -> None:
        """Stop all workers."""
