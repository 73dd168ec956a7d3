"""Whether something answers at an address."""

from __future__ import annotations

import socket
import time

import pytest

from mario.errors import UsageError
from mario.system.network import accepts_connections, check_reachable


def test_a_listening_port_accepts_connections_until_it_is_closed():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        assert accepts_connections(address)
        check_reachable(address)
    assert not accepts_connections(address)


@pytest.mark.parametrize("address", ["head", "head:", ":6379", "head:port"])
def test_an_address_without_host_or_port_is_refused(address):
    with pytest.raises(UsageError, match="give auto, or HOST:PORT of the head"):
        check_reachable(address)


def test_a_port_out_of_range_and_a_closed_one_are_refused_at_once():
    start = time.monotonic()
    for address in ("127.0.0.1:99999", "127.0.0.1:9"):
        with pytest.raises(UsageError, match=r"nothing answers there; start the head with ray st"):
            check_reachable(address)
    assert time.monotonic() - start < 5
