"""Tests of the process settings."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from mario.system.tuning import keep_freed_memory, tune_process

PRODUCT = "(torch.full((8,), 1e-38) * 0.1).count_nonzero().item()"


def test_denormal_floats_are_kept_by_default():
    output = subprocess.run(
        [sys.executable, "-c", f"import torch; print({PRODUCT})"], capture_output=True, check=True
    )
    assert output.stdout.strip() == b"8"


def test_denormal_floats_become_0_in_this_thread_and_in_new_ones():
    tune_process()
    assert eval(PRODUCT) == 0
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(eval, PRODUCT, {"torch": torch}).result() == 0


def test_torch_has_one_thread():
    tune_process()
    assert torch.get_num_threads() == 1


ALLOCATIONS = """
import resource, sys
import numpy as np
from mario.system.tuning import keep_freed_memory

if sys.argv[1] == "kept":
    assert keep_freed_memory()
for round in range(11):
    if round == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [np.ones(2**20, np.uint8) for _ in range(8)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(mode: str) -> int:
    """Count the page faults of ten rounds of allocations in a new process."""
    output = subprocess.run(
        [sys.executable, "-c", ALLOCATIONS, mode], capture_output=True, check=True, text=True
    )
    return int(output.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs the GNU C library")
def test_freed_pages_are_reused_without_page_faults():
    assert page_faults("kept") < 100 < 2_000 < page_faults("returned")


def test_another_c_library_is_not_changed(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not keep_freed_memory()
