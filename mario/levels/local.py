"""Trains the levels of a list on this machine, one after the other or side by side."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

from mario.levels.level_list import LevelList, LevelRun, Status
from mario.levels.progress import LevelReporter
from mario.levels.training_process import TrainingProcess
from mario.system.threads import available_cores

POLL_SECONDS = 0.2


def train_levels(
    levels: LevelList,
    flags: Sequence[str],
    *,
    report: Callable[[str], None],
    stop: Callable[[], bool],
) -> None:
    """Train the levels that are not complete, each in a process of its own.

    A level that fails does not stop the others.

    Args:
        levels: the list.
        flags: further flags of `mario-train` for each level.
        report: receives a line when the training of a level begins and ends, and now and then.
        stop: polled; True stops and saves all runs.
    """
    threads = _threads_flag(levels)
    reporter, waiting = LevelReporter(levels, report), deque(levels.unfinished)
    running: list[tuple[LevelRun, TrainingProcess]] = []
    while (waiting or running) and not stop():
        while waiting and len(running) < levels.parallel:
            run = waiting.popleft()
            reporter.started(run)
            levels.update(run, Status.RUNNING)
            flags_of_run = [*flags, *threads, *run.game_flags]
            running.append((run, TrainingProcess(run.path, flags_of_run, [levels.lock])))
        for run, process in running[:]:
            if process.has_ended:
                running.remove((run, process))
                _finish(levels, run, process, reporter)
            else:
                reporter.running(run)
        time.sleep(POLL_SECONDS)
    for _, process in running:
        process.stop()
    for run, process in running:
        _finish(levels, run, process, reporter)


def record_end(levels: LevelList, run: LevelRun, complete: bool, reason: str) -> None:
    """Set the status of a run whose process has ended, see `TrainingProcess.finish`."""
    status = Status.FAILED if reason else Status.WAITING
    levels.update(run, Status.COMPLETE if complete else status, reason)


def _finish(
    levels: LevelList, run: LevelRun, process: TrainingProcess, reporter: LevelReporter
) -> None:
    record_end(levels, run, *process.finish())
    reporter.ended(run)


def _threads_flag(levels: LevelList) -> list[str]:
    """Return the flag for the threads of each run, so that together they use all cores."""
    if levels.threads is None and levels.parallel == 1:
        return ["--threads", "None"]  # as many as the environments of the run leave free
    return ["--threads", str(levels.threads or max(1, available_cores() // levels.parallel))]
