from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest
import torch

from agents.compute import bindings
from agents.compute.bindings import ThreadPool, at, is_compiled, native

needs_build = pytest.mark.skipif(not is_compiled(), reason="the package was built without")


def tasks() -> int:
    """Threads of this process, those that Python knows nothing of among them."""
    return len(list(Path("/proc/self/task").iterdir()))


@needs_build
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_a_team_ends_its_threads_when_it_is_let_go():
    gc.collect()
    before = tasks()
    pool = ThreadPool(4)
    assert tasks() == before + 3
    del pool
    gc.collect()
    assert tasks() == before


@needs_build
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_number_is_worked_on_once(threads):
    pool = ThreadPool(threads)
    for count in (0, 1, 2, 3, 4097, 100_000):
        assert native().squares(pool.address, count, at(torch.ones(count))) == count


@needs_build
def test_teams_work_at_the_same_time_and_many_times_over():
    numbers, sums = torch.ones(50), []

    def work():
        pool = ThreadPool(2)
        for _ in range(500):
            sums.append(native().squares(pool.address, 50, at(numbers)))

    workers = [threading.Thread(target=work) for _ in range(3)]
    for each in workers:
        each.start()
    for each in workers:
        each.join(60)
    assert sums == [50.0] * 1_500


@needs_build
def test_threads_that_the_system_has_not_are_a_mistake_of_one_line(monkeypatch):
    class Exhausted:
        def team_new(self, threads):
            """As the system's refusal comes through."""
            return None

    monkeypatch.setattr(bindings, "native", Exhausted)
    with pytest.raises(OSError, match="cannot start 3 threads; give fewer"):
        ThreadPool(3)


def test_a_package_that_was_not_compiled_says_so(monkeypatch):
    monkeypatch.setattr(bindings, "find_spec", lambda name: None)
    bindings._library.cache_clear()
    try:
        assert not is_compiled()
    finally:
        bindings._library.cache_clear()
