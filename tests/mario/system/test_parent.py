"""A process ends with its parent, also if the parent has paused it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

CHILD = """
import time
from mario.system.parent import stop_with_parent

stop_with_parent()
print("ready", flush=True)
time.sleep(600)
"""

PARENT = """
import signal, subprocess, sys, time

child = subprocess.Popen(
    [sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
)
child.stdout.readline()
if sys.argv[2] == "paused":
    child.send_signal(signal.SIGSTOP)
print(child.pid, flush=True)
time.sleep(600)
"""


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="pauses are only ended on Linux")
@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_process_ends_when_its_parent_is_killed(state):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD, state], stdout=subprocess.PIPE, text=True
    )
    pid = int(parent.stdout.readline())
    assert is_running(pid)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    deadline = time.monotonic() + 20
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    running = is_running(pid)
    if running:
        os.kill(pid, signal.SIGKILL)
    assert not running
