"""The parent's end of a worker process, which runs `mario.vector.worker.serve`."""

from __future__ import annotations

import contextlib
import multiprocessing as mp
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, SpawnContext
from typing import Any

import gymnasium as gym

from mario.errors import UsageError
from mario.system.watchdog import Watchdog
from mario.vector.seeding import SeedFunction
from mario.vector.worker import WorkerError, serve

MESSAGE_SECONDS = 30.0
"""Time in which a process must send or receive a message that has begun."""


class WorkerDied(Exception):
    """Raised when a worker process ended, hung or failed."""


class WorkerProcess:
    """A process that runs one environment.

    Args:
        make: Makes the environment; must be picklable.
        seed: Seed of the run.
        env_index: Index of the environment.
        seed_function: Derives the seed of each episode, see `mario.vector.seeding`.
    """

    def __init__(
        self,
        make: Callable[[], gym.Env[Any, Any]],
        seed: int,
        env_index: int,
        seed_function: SeedFunction,
    ) -> None:
        context = _context()
        self._watchdog = Watchdog()
        self._timed_out = False
        self._pipe, worker_pipe = context.Pipe()
        self._process = context.Process(
            target=serve,
            args=(worker_pipe, make, seed, env_index, seed_function),
            name=f"game-{env_index}",
            daemon=True,
        )
        self._process.start()
        worker_pipe.close()

    @property
    def pid(self) -> int | None:
        """Process id."""
        return self._process.pid

    def request(self, method: str, *arguments: Any) -> None:
        """Call a method of the worker's `EnvRunner`; `answer` returns the result.

        If the process ended or does not read the request, `answer` will raise an error.
        """
        with contextlib.suppress(OSError), self._watchdog.limit(MESSAGE_SECONDS, self._kill):
            self._pipe.send((method, arguments))

    def answer(self, timeout: float) -> Any:
        """Wait for the answer to the oldest request.

        Args:
            timeout: Seconds to wait.

        Raises:
            WorkerDied: There was no answer; the message says why.
            UsageError: The worker raised one.
        """
        try:
            if not self._pipe.poll(timeout):
                raise WorkerDied(f"did not answer for {timeout:g} s")
            with self._watchdog.limit(MESSAGE_SECONDS, self._kill):
                answer = self._pipe.recv()
        except (EOFError, OSError):
            raise WorkerDied(self._exit_reason()) from None
        if not isinstance(answer, WorkerError):
            return answer
        if answer.kind == UsageError.__name__:
            raise UsageError(answer.message)
        raise WorkerDied(f"raised {answer.kind}: {answer.message}\n{answer.trace}".rstrip())

    def stop(self, timeout: float = 1.0) -> None:
        """End the process: close its pipe, then terminate it, then kill it.

        Stopping twice is harmless.

        Args:
            timeout: Seconds to wait after each of these.
        """
        self._watchdog.close()
        self._pipe.close()
        self._process.join(timeout)
        for end in (self._process.terminate, self._process.kill):
            if self._process.exitcode is not None:
                return
            end()
            self._process.join(timeout)

    def _kill(self) -> None:
        self._timed_out = True
        self._process.kill()

    def _exit_reason(self) -> str:
        self._process.join(1)
        if self._timed_out:
            return f"stopped in the middle of a message for {MESSAGE_SECONDS:g} s"
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


def _context() -> ForkServerContext | SpawnContext:
    """Return how processes are started: never by fork, which can deadlock with torch's threads."""
    if "forkserver" not in mp.get_all_start_methods():
        return mp.get_context("spawn")
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(["mario.vector.worker", "mario.vector.env"])
    return context
