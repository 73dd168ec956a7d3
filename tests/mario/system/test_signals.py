"""Tests of the stop signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from mario.system.signals import StopSignals

LINES = "StopLines('starting', 'stopping', lambda: 'aborted')"


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


def run(body):
    """Run lines of Python in a process, in the context of the object ``stop``."""
    script = (
        "import os, signal, sys, time; from mario.system import signals\n"
        "from mario.system.signals import StopLines, StopSignals\n"
        f"with StopSignals({LINES}) as stop:\n"
        f"    {body}\n"
        "    print('still here', flush=True)"
    )
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, check=False)


SIGINT = "os.kill(os.getpid(), signal.SIGINT)"
SIGTERM = "os.kill(os.getpid(), signal.SIGTERM)"


def test_a_second_signal_prints_a_line_and_ends_the_process_at_once():
    done = run(f"bool(stop); {SIGINT}; time.sleep(1.1); {SIGTERM}")
    assert (done.returncode, done.stdout, done.stderr) == (143, "stopping\naborted\n", "")


def test_a_second_signal_soon_after_the_first_one_is_ignored():
    done = run(f"bool(stop); {SIGINT}; {SIGINT}; {SIGTERM}")
    assert (done.returncode, done.stdout) == (0, "stopping\nstill here\n")


def test_a_signal_before_there_is_something_to_save_prints_a_line():
    done = run(SIGTERM)
    assert (done.returncode, done.stdout, done.stderr) == (143, "starting\n", "")


def test_the_line_is_printed_while_the_program_prints():
    body = (
        "bool(stop); signal.setitimer(signal.ITIMER_REAL, 0.05); "
        f"signal.signal(signal.SIGALRM, lambda *_: {SIGINT}); "
        "[print('x' * 99) for _ in iter(stop, True)]"
    )
    done = run(body)
    assert done.returncode == 0, done.stderr
    assert "stopping\n" in done.stdout


@pytest.mark.parametrize("close", ["os.close(1)", "sys.stdout.close()", "sys.stdout = None"])
def test_with_a_closed_stdout_the_line_is_lost(close):
    done = run(f"bool(stop); {close}; {SIGINT}; os._exit(bool(stop))")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
