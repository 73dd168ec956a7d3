"""Addresses of clusters, and whether something answers there."""

from __future__ import annotations

import socket

from mario.errors import UsageError

LOCAL = "auto"
"""Stands for a Ray that is started on this machine."""
CONNECT_SECONDS = 5.0


def check_reachable(address: str) -> None:
    """Check that something accepts connections at ``HOST:PORT``.

    Ray itself tries for two minutes.

    Raises:
        UsageError: the address has another form, or nothing answers within `CONNECT_SECONDS`.

    >>> check_reachable("head")
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: cluster head: give auto, or HOST:PORT of the head, e.g. head:6379
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise UsageError(
            f"--cluster {address}: give {LOCAL}, or HOST:PORT of the head, e.g. head:6379"
        )
    if not accepts_connections(address, CONNECT_SECONDS):
        raise UsageError(
            f"--cluster {address}: nothing answers there; start the head with "
            f"ray start --head --port={port}, and open the port in the firewall"
        )


def accepts_connections(address: str, timeout: float = 1.0) -> bool:
    """Return whether a TCP connection to ``HOST:PORT`` succeeds.

    Args:
        address: host and port.
        timeout: in seconds.
    """
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout):
            return True
    except (OSError, OverflowError):
        return False
