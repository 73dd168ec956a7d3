from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from mario import threads
from mario.threads import cores, spare_cores, use_threads, wait_asleep


@pytest.fixture
def four_cores(monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 4)


@pytest.fixture(autouse=True)
def as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("processes", "spare"), [(0, 4), (1, 3), (3, 1), (4, 1), (8, 1)])
def test_each_process_has_a_core_as_far_as_there_are_any(four_cores, processes, spare):
    assert spare_cores(processes) == spare


def test_the_cores_that_no_game_needs_compute(four_cores):
    use_threads(None, processes=2)
    assert torch.get_num_threads() == 2


def test_what_is_asked_for_is_used(four_cores):
    use_threads(3, processes=8)
    assert torch.get_num_threads() == 3


def test_a_process_that_is_bound_to_one_core_has_one():
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system binds no process")
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores() == len(allowed)


def test_threads_sleep_while_they_wait_unless_the_user_chose(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    wait_asleep()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    wait_asleep()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


def test_a_command_settles_it_before_torch_is_loaded():
    lines = (
        "import os, sys",
        "from mario.commands import cli",
        "body = lambda: print('torch' in sys.modules, os.environ['OMP_WAIT_POLICY']) or 0",
        "cli.run('x', body)",
    )
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert done.stdout == "False PASSIVE\n"
