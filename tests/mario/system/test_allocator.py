from __future__ import annotations

import ctypes
import platform
import subprocess
import sys

import pytest

from mario.system.allocator import keep_freed_memory

FAULTS = """
import resource, sys
import numpy as np
from mario.system.allocator import keep_freed_memory

if sys.argv[1] == "kept":
    assert keep_freed_memory()
for round in range(11):
    if round == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [np.ones(2**20, np.uint8) for _ in range(8)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(mode: str) -> int:
    found = subprocess.run(
        [sys.executable, "-c", FAULTS, mode], capture_output=True, check=True, text=True
    )
    return int(found.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_pages_that_were_freed_need_not_be_made_again():
    assert faults("kept") < 100 < 2_000 < faults("given back")


def test_another_c_library_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not keep_freed_memory()
