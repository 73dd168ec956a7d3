"""Connects to a Ray cluster, or starts Ray on this machine."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray._raylet import Config  # type: ignore[attr-defined]
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from mario.errors import UsageError
from mario.system.network import LOCAL, check_reachable

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    # Otherwise a driver that loses the head ends after a minute, without any exception.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
}
"""Settings of Ray. Variables that are set take precedence."""

STORE_BYTES = 2**30
"""Object store of a Ray that is started here: room for the weights and a gradient of each of some
hundred workers."""


@contextmanager
def connected(address: str, cores: int | None = None) -> Iterator[int]:
    """Connect to a cluster, or start Ray on this machine, until the end of the context.

    Ray's handler of SIGTERM is replaced by the one that was set before.

    Args:
        address: ``HOST:PORT`` of the head, or ``"auto"`` to start Ray here.
        cores: number of cores for a Ray that is started here; None for those of the machine.

    Yields:
        The number of cores of the cluster.

    Raises:
        UsageError: there is no cluster at the address, or it refuses the connection.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    Config.initialize("")  # torchrl has imported Ray, which has read its settings, long before
    if address != LOCAL:
        check_reachable(address)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        if address == LOCAL:
            ray.init(
                address="local", num_cpus=cores, include_dashboard=False, log_to_driver=False,
                object_store_memory=STORE_BYTES, logging_level="ERROR",
            )  # fmt: skip
        else:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RayError, RuntimeError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UsageError(f"--cluster {address}: {reason}") from None
    finally:
        if threading.current_thread() is threading.main_thread():  # only there Ray replaces it
            signal.signal(signal.SIGTERM, handler)
    try:
        yield int(ray.cluster_resources().get("CPU", 0))
    finally:
        ray.shutdown()


def on_each_machine(
    function: Callable[..., Any], argument: Any, timeout: float
) -> dict[str, tuple[dict[str, float], float, Any]]:
    """Call a function on each machine of the cluster, one after another.

    Args:
        function: receives the argument.
        argument: sent to each machine.
        timeout: time in seconds for each machine.

    Returns:
        By ``address``, or ``address (node ID)`` if several nodes share one: the resources of the
        machine; the time in seconds that a second call took, which a running process answers; and
        what the function returned, or the `RayError`.
    """
    results: dict[str, tuple[dict[str, float], float, Any]] = {}
    for node in (node for node in ray.nodes() if node["Alive"]):
        place = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        task = ray.remote(function).options(num_cpus=0, scheduling_strategy=place, max_retries=0)
        name = node["NodeManagerAddress"]
        name = f"{name} ({node['NodeID'][:8]})" if name in results else name
        seconds = 0.0
        try:
            ray.get(task.remote(None), timeout=timeout)
            start = time.monotonic()
            result = ray.get(task.remote(ray.put(argument)), timeout=timeout)
            seconds = time.monotonic() - start
        except RayError as error:
            result = error
        results[name] = node["Resources"], seconds, result
    return results
