from __future__ import annotations

import os

import pytest

from mario.system import threads
from mario.system.threads import cores, spare_cores


@pytest.mark.parametrize(("processes", "spare"), [(0, 4), (1, 3), (3, 1), (4, 1), (8, 1)])
def test_each_process_has_a_core_as_far_as_there_are_any(monkeypatch, processes, spare):
    monkeypatch.setattr(threads, "cores", lambda: 4)
    assert spare_cores(processes) == spare


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process")
def test_a_process_that_is_bound_to_one_core_has_one():
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores() == len(allowed)
