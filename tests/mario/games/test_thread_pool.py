"""The thread pool of the compiled games."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("thread_pool_test.cpp")
POOL = Path(__file__).parents[3] / "mario" / "games" / "native" / "thread_pool.cpp"


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_an_exception_in_a_thread_reaches_the_caller(tmp_path):
    """Without a handler it would end the process."""
    program = tmp_path / "thread_pool_test"
    flags = ["-std=c++17", "-O1", "-pthread", "-fsanitize=undefined", "-o", program]
    subprocess.run(["g++", *flags, SOURCE, POOL], check=True)
    done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")
