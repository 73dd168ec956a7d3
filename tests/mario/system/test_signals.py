"""Tests of the stop signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from mario.system.signals import StopSignals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_only_sets_a_flag(number, code):
    with StopSignals() as stop:
        assert not stop
        assert stop.exit_code == 0
        os.kill(os.getpid(), number)
        assert stop
        assert stop.exit_code == code


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_before_there_is_something_to_save_a_signal_ends_the_program(number, error):
    with StopSignals() as stop, pytest.raises(error):
        os.kill(os.getpid(), number)
    assert stop.exit_code == 128 + number


def test_the_earlier_handlers_are_restored():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with StopSignals():
        pass
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_second_signal_ends_the_process_at_once():
    script = (
        "import os, signal; from mario.system.signals import StopSignals\n"
        "with StopSignals() as stop:\n"
        "    assert not stop\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print('still here')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 143
    assert done.stdout == b""
