"""Tests of the number of available cores."""

from __future__ import annotations

import os

import pytest

from mario.system import threads
from mario.system.threads import available_cores, spare_cores


@pytest.mark.parametrize(("processes", "spare"), [(0, 4), (1, 3), (3, 1), (4, 1), (8, 1)])
def test_each_busy_process_takes_a_core_but_one_is_left(monkeypatch, processes, spare):
    monkeypatch.setattr(threads, "available_cores", lambda: 4)
    assert spare_cores(processes) == spare


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs sched_setaffinity")
def test_a_process_that_is_bound_to_one_core_has_one_core():
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert available_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert available_cores() == len(allowed)
