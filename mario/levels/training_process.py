"""The process that trains one level: `mario-train --resume` on its run folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

MAIN = (
    "from mario.system.parent import stop_with_parent; stop_with_parent(); "
    "from mario.commands.train import main; main()"
)
CONSOLE = "console"
"""File in the run folder that receives what the process prints."""
TAIL_BYTES = 4096
STOP_CODES = (128 + signal.SIGINT, 128 + signal.SIGTERM)
"""Exit codes of `mario-train` after it was stopped and has saved."""
KILL_SECONDS = 120.0
"""Time in which a process that was asked to stop must have ended."""


class TrainingProcess:
    """Trains a level in a process that resumes its run.

    The process stops and saves when this process ends, however it ends.

    Args:
        run: folder of the run; it need not have been trained yet.
        flags: further flags of `mario-train`.
        inherited: file descriptors that the process inherits.
    """

    def __init__(self, run: Path, flags: Sequence[str], inherited: Sequence[int] = ()) -> None:
        self._run, self._stopped = run, False
        self._console = os.open(
            run / CONSOLE, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644
        )
        # A session of its own, so that Ctrl-C in a terminal reaches it only through `stop`.
        self._process = subprocess.Popen(  # noqa: S603 - the program itself
            [sys.executable, "-c", MAIN, "--resume", str(run), *flags],
            stdin=subprocess.PIPE, stdout=self._console, stderr=subprocess.STDOUT,
            start_new_session=True, pass_fds=inherited,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        """ID of the process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """Ask the process to save and end, once."""
        if not self._stopped:
            self._stopped = True
            self._process.terminate()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Context in which the process does not run, so that its files do not change."""
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def finish(self) -> tuple[bool, str]:
        """Wait for the end of the process, and release its resources.

        The replay memory of a complete run is removed, which nothing needs any more.

        Returns:
            Whether the run is complete, and why not: one line, or ``""`` if it was stopped.
        """
        try:
            code = self._process.wait(KILL_SECONDS if self._stopped else None)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
        reason = self._describe(code)
        os.close(self._console)
        if code == 0:
            shutil.rmtree(self._run / "memory", ignore_errors=True)
        return code == 0, reason

    def _describe(self, code: int) -> str:
        """Return why the process has ended before the run was complete."""
        if code == 0 or (self._stopped and (code in STOP_CODES or code == -signal.SIGTERM)):
            return ""
        if code < 0:
            return f"its process was killed by {signal.Signals(-code).name}"
        if code in STOP_CODES:
            return f"its process was stopped by {signal.Signals(code - 128).name}"
        size = os.fstat(self._console).st_size
        tail = os.pread(self._console, TAIL_BYTES, max(0, size - TAIL_BYTES))
        lines = tail.decode(errors="replace").strip().splitlines()
        last = lines[-1] if lines else "it printed nothing"
        return f"exit code {code}: {last.removeprefix('mario-train: error: ')}"
