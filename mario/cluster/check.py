"""Checks a cluster before a run: is it reachable, and are its machines alike and fast enough?"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from mario.cluster.workers.versions import describe_mismatch, running_versions
from mario.errors import UsageError
from mario.system.announce import counted
from mario.system.network import LOCAL

PAYLOAD_BYTES = 64 * 2**20
MACHINE_SECONDS = 60.0
"""Time in which a machine must answer."""


@dataclass(frozen=True)
class MachineReport:
    """What one machine answered.

    Attributes:
        address: of the machine.
        name: its host name.
        cores: cores that Ray may use.
        memory: bytes of memory that Ray may use for workers.
        store: bytes of the object store.
        seconds: time for `PAYLOAD_BYTES` to arrive.
        problem: why it cannot be used, None if it can.
    """

    address: str
    name: str = "unknown"
    cores: float = 0.0
    memory: float = 0.0
    store: float = 0.0
    seconds: float = 0.0
    problem: str | None = None

    def line(self) -> str:
        """Return one line about the machine."""
        if self.problem is not None:
            return f"{self.address}: unusable: {self.problem}"
        rate = PAYLOAD_BYTES / self.seconds / 1e6
        return (
            f"{self.address} ({self.name}): {counted(round(self.cores), 'core')}, "
            f"{self.memory / 1e9:.1f} GB for workers, {self.store / 1e9:.1f} GB object store, "
            f"{rate:,.0f} MB/s from the driver, same versions"
        )


def require_ray() -> None:
    """Check that Ray is installed.

    Raises:
        UsageError: it is not.
    """
    if find_spec("ray") is None:
        raise UsageError("a cluster needs Ray; install it with pip install 'mario-agents[cluster]'")


def check_cluster(address: str, report: Callable[[str], None]) -> bool:
    """Check every machine of a cluster, and report one line for each.

    Args:
        address: see `mario.cluster.connection.connected`.
        report: receives the lines.

    Returns:
        Whether all machines can be used.

    Raises:
        UsageError: there is no cluster at the address, or it refuses the connection.
    """
    from mario.cluster.connection import connected, on_each_machine

    with connected(address) as cores:
        token = os.environ["RAY_AUTH_MODE"] == "token"
        report(
            f"{address}: reachable, {counted(cores, 'core')}, "
            f"{'token authentication' if token else 'NO authentication: any program that reaches '}"
            f"{'' if token else 'its ports can run code; set RAY_AUTH_MODE=token'}"
        )
        payload = np.zeros(PAYLOAD_BYTES, np.uint8)
        answers = on_each_machine(_answer, payload, MACHINE_SECONDS)
        machines = list(_machine_reports(answers))
    for machine in machines:
        report(machine.line())
    if address != LOCAL:
        report("Ray does not encrypt its traffic; use a private network or a VPN")
    return all(machine.problem is None for machine in machines)


def _machine_reports(answers: dict[str, Any]) -> Iterable[MachineReport]:
    for address, (resources, seconds, answer) in answers.items():
        if isinstance(answer, Exception):
            reason = str(answer).strip().splitlines()[-1]
            yield MachineReport(address, problem=f"{type(answer).__name__}: {reason}")
            continue
        name, versions = answer
        yield MachineReport(
            address,
            name,
            resources.get("CPU", 0.0),
            resources.get("memory", 0.0),
            resources.get("object_store_memory", 0.0),
            seconds,
            describe_mismatch(running_versions(), versions),
        )


def _answer(payload: Any) -> tuple[str, dict[str, str]]:
    """Return the host name and the versions of the machine on which this runs."""
    del payload  # it has arrived
    return socket.gethostname(), running_versions()
