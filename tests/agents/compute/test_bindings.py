from __future__ import annotations

import gc
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from agents.compute import bindings
from agents.compute.bindings import ThreadPool, is_compiled, native, pointer

needs_build = pytest.mark.skipif(not is_compiled(), reason="the package is not compiled")

CPU = Path("/proc/cpuinfo")
needs_avx512 = pytest.mark.skipif(
    not (is_compiled() and hasattr(native(), "linear_forward") and CPU.exists())
    or "avx512f" not in CPU.read_text().split(),
    reason="the float16 functions were compiled for processors with AVX-512",
)


def count_threads() -> int:
    """Return the number of threads of this process, including native ones."""
    return len(list(Path("/proc/self/task").iterdir()))


@needs_build
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_a_pool_ends_its_threads_when_it_is_deleted():
    gc.collect()
    before = count_threads()
    pool = ThreadPool(4)
    assert count_threads() == before + 3
    del pool
    gc.collect()
    assert count_threads() == before


@needs_build
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_element_is_processed_once(threads):
    pool = ThreadPool(threads)
    for count in (0, 1, 2, 3, 4097, 100_000):
        ones = torch.ones(count)
        assert native().sum_of_squares(pool.address, count, pointer(ones)) == count


@needs_build
def test_several_pools_work_concurrently_and_repeatedly():
    numbers, sums = torch.ones(50), []

    def work():
        pool = ThreadPool(2)
        for _ in range(500):
            sums.append(native().sum_of_squares(pool.address, 50, pointer(numbers)))

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sums == [50.0] * 1_500


@needs_build
def test_threads_that_the_system_cannot_start_are_reported_in_one_line(monkeypatch):
    class Exhausted:
        def thread_pool_new(self, threads):
            """Return a null pointer, as the compiled function does."""
            return None

    monkeypatch.setattr(bindings, "native", Exhausted)
    with pytest.raises(OSError, match="cannot start 3 threads; give fewer"):
        ThreadPool(3)


@needs_build
@pytest.mark.parametrize(
    ("code", "error", "message"), [(1, MemoryError, "out of memory"), (2, RuntimeError, "raised")]
)
def test_an_error_in_a_thread_of_the_pool_is_raised_by_the_call(monkeypatch, code, error, message):
    class Failed:
        def thread_pool_error(self, pool):
            """Return what the compiled function returns after an exception in a thread."""
            return code

    pool, numbers = ThreadPool(2), torch.ones(50)
    sum_of_squares = native().sum_of_squares
    with monkeypatch.context() as patch:
        patch.setattr(bindings, "native", Failed)
        with pytest.raises(error, match=message):
            sum_of_squares(pool.address, 50, pointer(numbers))
    assert sum_of_squares(pool.address, 50, pointer(numbers)) == 50


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_an_exception_in_a_thread_does_not_end_the_process(tmp_path):
    program = tmp_path / "thread_pool_test"
    source = Path(__file__).with_name("thread_pool_test.cpp")
    pool = Path(bindings.__file__).with_name("native") / "thread_pool.cpp"
    flags = ["-std=c++17", "-O1", "-pthread", "-fsanitize=undefined", "-o", program]
    subprocess.run(["g++", *flags, source, pool], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


FORWARD = "linear_forward(pool.address, 2**40, 1024, 8, *[None] * 4)"
BACKWARD = "linear_backward(pool.address, 2**40, 1024, 8, *[None] * 6)"


@needs_avx512
@pytest.mark.parametrize("call", [FORWARD, BACKWARD])
def test_a_layer_without_memory_for_its_buffers_raises_a_memory_error(call):
    code = (
        "from agents.compute.bindings import ThreadPool, native\n"
        "pool = ThreadPool(2)\n"
        f"try: native().{call}\n"
        "except MemoryError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "the compiled functions ran out of memory\n")


def test_a_package_without_compiled_functions_is_detected(monkeypatch):
    monkeypatch.setattr(bindings, "find_spec", lambda name: None)
    bindings._library.cache_clear()
    try:
        assert not is_compiled()
    finally:
        bindings._library.cache_clear()
