"""Workers that are Ray actors: hires, watches and replaces them."""

from __future__ import annotations

import os
import re
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import ray
from ray.exceptions import (
    ActorUnavailableError,
    GetTimeoutError,
    RayActorError,
    RayError,
    RayTaskError,
)

from mario.cluster.protocol import Answer, Event, Hello, Joined, Lost
from mario.cluster.workers.versions import describe_mismatch, running_versions
from mario.errors import RunError
from mario.system.network import accepts_connections

MAX_LOSSES, LOSSES_SECONDS = 5, 300.0
"""Number of times that one worker may be lost within a time in seconds before training stops."""
PROBE_SECONDS, MAX_PROBES = 1.0, 3
"""Time between two probes of the head, and number of failures in a row that make it lost."""
BUILD_SECONDS = 120.0
"""Minimum time in which a worker must be built: it first imports torch, perhaps from a network."""
FETCH_SECONDS = 20.0
"""Time in which a result that is ready must arrive."""


class WorkerHost:
    """An actor: the process of one worker."""

    def greet(self) -> Hello:
        """Return which machine and which versions these are."""
        return Hello(socket.gethostname(), os.getpid(), running_versions())

    def build(self, make_worker: Callable[[Any], Any], setup: Any) -> None:
        """Build the worker."""
        self._worker = make_worker(setup)

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the worker."""
        return getattr(self._worker, method)(*arguments)


@dataclass
class _Slot:
    """The place of one worker in the fleet.

    Attributes:
        life: see `WorkerSetup`.
        actor: handle of the actor.
        pid: its process.
        stage: ``hired``, ``building`` or ``joined``.
        calls: references to the results of unanswered calls, oldest first.
        since: time since which the oldest call is expected.
        losses: times of the latest losses.
    """

    life: int
    actor: Any = None
    pid: int = 0
    stage: str = "hired"
    calls: deque[Any] = field(default_factory=deque)
    since: float = 0.0
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_LOSSES))


class RayFleet:
    """Workers that are Ray actors, spread over the machines of the cluster.

    A worker is lost if its process or machine dies, if it raises an error, if it does not answer in
    time, or if it runs other versions than the driver. It is then replaced on any machine with free
    cores. If there are none, the replacement waits until a machine joins.

    Args:
        make_worker: makes a worker from its setup, in its own process.
        size: number of workers.
        address: address of the cluster, for messages.
        timeout: time in seconds in which a worker must answer.
        cores: cores of each worker.

    Attributes:
        size: number of workers.
        address: the given address.
        trouble: why training must stop, None if all is well.
    """

    def __init__(
        self,
        make_worker: Callable[[Any], Any],
        size: int,
        *,
        address: str,
        timeout: float = 60.0,
        cores: int = 1,
    ) -> None:
        self.size, self.address = size, address
        self.trouble: RunError | None = None
        self._make_worker, self._timeout, self._cores = make_worker, timeout, cores
        self._slots: list[_Slot] = []
        self._events: list[Event] = []
        self._head = ray.get_runtime_context().gcs_address
        self._probed_at, self._failed_probes = time.monotonic(), 0

    @property
    def pids(self) -> list[int]:
        """The processes of the workers on their machines."""
        return [slot.pid for slot in self._slots]

    def hire(self, make_setup: Callable[[int, int], Any], lives: list[int]) -> None:
        """Start all workers; each joins once a machine has free cores for it."""
        self._make_setup = make_setup
        self._slots = [_Slot(life) for life in lives]
        for slot in self._slots:
            self._hire(slot)

    def publish(self, message: Any) -> Any:
        """Store a message once for all workers, and return a reference to it."""
        return ray.put(message)

    def submit(self, worker: int, method: str, *arguments: Any) -> None:
        """Call a method of a worker that has joined; `wait` returns the answer."""
        slot = self._slots[worker]
        self._expect(slot, slot.actor.call.remote(method, *arguments))

    def wait(self, timeout: float) -> list[Event]:
        """Return the answers, joins and losses since the last call."""
        self._probe_head()
        if not self._events:
            first = {slot.calls[0]: index for index, slot in enumerate(self._slots) if slot.calls}
            if not first:
                time.sleep(timeout)
            ready = self._ready(list(first), timeout)
            for reference in ready:
                self._settle(first[reference], reference)
            self._check_deadlines()
        events, self._events = self._events, []
        return events

    def dismiss(self, worker: int, reason: str) -> None:
        """Replace a worker."""
        slot = self._slots[worker]
        ray.kill(slot.actor)
        slot.calls.clear()
        self._events.append(Lost(worker, reason))
        slot.losses.append(time.monotonic())
        if len(slot.losses) == MAX_LOSSES and slot.losses[-1] - slot.losses[0] < LOSSES_SECONDS:
            self.trouble = RunError(
                f"worker {worker} was lost {MAX_LOSSES} times within {LOSSES_SECONDS:.0f} s, most "
                f"recently because of: {reason}; remove the cause, then continue with --resume"
            )
        slot.life += 1
        self._hire(slot)

    def close(self) -> None:
        """Stop all workers."""
        for slot in self._slots:
            ray.kill(slot.actor)
        self._slots = []

    def _hire(self, slot: _Slot) -> None:
        host = ray.remote(WorkerHost).options(
            num_cpus=self._cores, max_restarts=0, scheduling_strategy="SPREAD"
        )
        slot.actor, slot.stage = host.remote(), "hired"
        self._expect(slot, slot.actor.greet.remote())

    def _expect(self, slot: _Slot, reference: Any) -> None:
        if not slot.calls:
            slot.since = time.monotonic()
        slot.calls.append(reference)

    def _ready(self, references: list[Any], timeout: float) -> list[Any]:
        """Wait for the first result, and return all that are ready."""
        if not references:
            return []
        ready, _ = ray.wait(references, num_returns=1, timeout=timeout)
        if not ready:
            return []
        return list(ray.wait(references, num_returns=len(references), timeout=0)[0])

    def _settle(self, worker: int, reference: Any) -> None:
        """Handle a result that is ready."""
        slot = self._slots[worker]
        try:
            value = ray.get(reference, timeout=FETCH_SECONDS)
        except RayError as error:
            self.dismiss(worker, _describe(error))
            return
        slot.calls.popleft()
        slot.since = time.monotonic()
        if slot.stage == "joined":
            self._events.append(Answer(worker, value))
        elif slot.stage == "building":
            slot.stage = "joined"
            self._events.append(Joined(worker, slot.life))
        elif (mismatch := describe_mismatch(running_versions(), value.versions)) is not None:
            self.dismiss(worker, f"refused, because {value.machine} has {mismatch}")
        else:
            slot.stage, slot.pid = "building", value.pid
            setup = self._make_setup(worker, slot.life)
            self._expect(slot, slot.actor.build.remote(self._make_worker, setup))

    def _check_deadlines(self) -> None:
        now = time.monotonic()
        for worker, slot in enumerate(self._slots):
            joined = slot.stage == "joined"
            timeout = self._timeout if joined else max(self._timeout, BUILD_SECONDS)
            # One that is not placed yet may have to wait for a machine to join.
            if slot.stage != "hired" and slot.calls and now - slot.since > timeout:
                self.dismiss(worker, f"it did not answer for {timeout:.0f} s")

    def _probe_head(self) -> None:
        now = time.monotonic()
        if self.trouble is not None or now - self._probed_at < PROBE_SECONDS:
            return
        self._probed_at = now
        self._failed_probes = 0 if accepts_connections(self._head) else self._failed_probes + 1
        if self._failed_probes >= MAX_PROBES:
            self.trouble = RunError(
                f"the head of the cluster at {self._head} does not answer; "
                "start Ray again, then continue with --resume"
            )


def _describe(error: RayError) -> str:
    """Return why a worker is lost, in a few words."""
    if isinstance(error, RayTaskError):
        cause = error.cause if isinstance(error.cause, BaseException) else error
        lines = str(cause).strip().splitlines() or [""]
        return f"{type(cause).__name__}: {lines[0]}"
    if isinstance(error, ActorUnavailableError):
        return "its machine cannot be reached"
    if isinstance(error, RayActorError):
        died = re.search("node (has )?died|node was (dead|removed)", str(error), re.IGNORECASE)
        return "its machine died" if died else "its process died"
    if isinstance(error, GetTimeoutError):
        return f"its answer did not arrive within {FETCH_SECONDS:.0f} s"
    return f"its answer was lost: {type(error).__name__}"
