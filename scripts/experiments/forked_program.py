"""Runs ``mario-train`` many times: each run is a fork of this process, which has imported it.

Only the start of Python is saved. The fork reads its flags, trains, writes its files and exits as
the installed command does.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

import mario.commands.train
import mario.config.presets
import mario.runs.train_config
import mario.training.session
import mario.training.train

torch.set_num_threads(1)  # a fork of a process with OpenMP threads would hang
POLL_SECONDS = 0.001


class Program:
    """A ``mario-train`` in a process of its own.

    Args:
        flags: its command line.
        output: file for its stdout and stderr.
        main: receives the flags, and exits as a command does.

    Attributes:
        pid: number of the process.
        output: the file.
    """

    def __init__(
        self,
        flags: Sequence[str],
        output: Path,
        main: Callable[[Sequence[str]], None] = mario.commands.train.main,
    ) -> None:
        self.output = output
        self._code: int | None = None
        self.pid = os.fork()
        if not self.pid:
            _become_program(flags, output, main)

    def poll(self) -> int | None:
        """Return the exit code, the negative signal that ended it, or None while it runs."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def wait(self, until: Callable[[], bool] = lambda: False) -> int | None:
        """Wait until the program ends or a condition holds; return the exit code or None."""
        while self.poll() is None and not until():
            time.sleep(POLL_SECONDS)
        return self.poll()

    def kill(self) -> None:
        """End the program by SIGKILL, as a lack of memory or a power cut does."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()


def _become_program(
    flags: Sequence[str], output: Path, main: Callable[[Sequence[str]], None]
) -> None:
    """Run the command in this process, which then ends."""
    code: object = 1
    try:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        main(list(flags))
    except SystemExit as exit_:
        code = exit_.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0)
