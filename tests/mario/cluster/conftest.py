"""A Ray cluster of processes: a head without cores and two machines with one core each."""

from __future__ import annotations

import os
import sys

import pytest
from machines import Machines


@pytest.fixture(scope="session")
def ray_environment(tmp_path_factory):
    """Environment variables of a cluster for tests, with a token of its own."""
    pytest.importorskip("ray")
    from ray._raylet import AuthenticationTokenLoader, Config

    folder = tmp_path_factory.mktemp("ray")
    token = folder / "token"
    token.write_text("0" * 64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        # With Ray's default of 15, workers wait for all other processes of a busy machine.
        patch.setenv("RAY_worker_niceness", "0")
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        Config.initialize("")
        AuthenticationTokenLoader.instance().reset_cache()  # of a cluster of another test
        yield


@pytest.fixture(scope="session")
def machines(ray_environment):
    """The cluster, with two machines."""
    machines = Machines()
    machines.add()
    machines.add()
    yield machines
    machines.shut_down()
