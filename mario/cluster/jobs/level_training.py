"""Trains the levels of a list on a cluster: each level is a job of one worker.

The driver has the run folders. A worker receives a copy, trains in it, and sends what has changed
whenever the run has been saved, so that another worker can go on from there.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mario.cluster.jobs.folder_copy import FolderChanges, FolderReader, write_changes
from mario.cluster.protocol import Answer, Fleet, Lost
from mario.cluster.roster import Roster
from mario.cluster.workers.messages import Start
from mario.levels.level_list import LevelList, LevelRun, Status
from mario.levels.local import record_end
from mario.levels.progress import LevelReporter
from mario.levels.training_process import TrainingProcess
from mario.runs.file_kind import LOCK
from mario.runs.run_folder import LAST
from mario.system.file_lock import LockedError, lock_file

ANSWER_SECONDS = 2.0
"""Time after which a worker answers even if the run was not saved."""
POLL_SECONDS = 0.1
PREFIX = "mario-level-"
"""Prefix of the folders of workers, in the temporary folder of their machine."""


@dataclass(frozen=True)
class LevelReport:
    """What a worker says of the training of its level.

    Attributes:
        pid: the process that trains.
        changes: what has changed in the run folder; None if it was not saved since the last report.
        has_ended: whether the training has ended.
        complete: whether the run is complete.
        reason: why it has failed, ``""`` if it has not.
    """

    pid: int
    changes: FolderChanges | None = None
    has_ended: bool = False
    complete: bool = False
    reason: str = ""


class LevelWorker:
    """A worker that trains one level after another.

    Args:
        setup: not used.
    """

    def __init__(self, setup: Any) -> None:
        del setup
        _remove_abandoned_folders()
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._process: TrainingProcess | None = None

    def start(self, start: Start) -> None:
        """Do nothing: the state comes with each level."""

    def begin(self, files: FolderChanges, flags: Sequence[str]) -> LevelReport:
        """Start to train a level.

        Args:
            files: the run folder, see `FolderReader`.
            flags: further flags of `mario-train`.
        """
        shutil.rmtree(self._folder)
        self._folder.mkdir()
        write_changes(self._folder, files)
        self._reader = FolderReader(self._folder)
        self._reader.changes()
        self._saved = self._save_time()
        self._process = TrainingProcess(self._folder, flags)
        return LevelReport(self._process.pid)

    def poll(self, stop: bool) -> LevelReport:
        """Wait until the run is saved or has ended, for at most `ANSWER_SECONDS`.

        Args:
            stop: whether to save the run and stop.
        """
        process = self._process
        assert process is not None
        if stop:
            process.stop()
        end = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < end and not process.has_ended and not self._is_saved():
            time.sleep(POLL_SECONDS)
        if process.has_ended:
            self._process = None
            complete, reason = process.finish()
            changes = self._reader.changes()
            return LevelReport(process.pid, changes, True, complete, reason)
        if not self._is_saved():
            return LevelReport(process.pid)
        # As after a crash, a run can be resumed from its files at any moment.
        with process.paused():
            self._saved = self._save_time()
            return LevelReport(process.pid, self._reader.changes())

    def close(self) -> None:
        """Stop the training, and remove the copy of the run."""
        if self._process is not None:
            self._process.stop()
            self._process.finish()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _is_saved(self) -> bool:
        return self._save_time() != self._saved

    def _save_time(self) -> int:
        file = self._folder / LAST
        return file.stat().st_mtime_ns if file.exists() else 0


def train_levels_on_fleet(
    levels: LevelList,
    flags: Sequence[str],
    fleet: Fleet,
    *,
    report: Callable[[str], None],
    stop: Callable[[], bool],
) -> None:
    """Train the levels that are not complete on the workers of a fleet.

    Args:
        levels: the list.
        flags: further flags of `mario-train` for each level.
        fleet: `LevelWorker` objects, which are not hired yet.
        report: receives a line when the training of a level begins and ends, and now and then.
        stop: polled; True stops and saves all runs.

    Raises:
        RunError: no worker is ready in time, or one is lost too often.
    """
    fleet.hire(lambda worker, life: None, [0] * fleet.size)
    roster = Roster(fleet, lambda worker, life: Start({}, 0), report)
    jobs = _LevelJobs(levels, flags, fleet, LevelReporter(levels, report))
    while jobs.running or (jobs.waiting and not stop()):
        if fleet.trouble is not None:
            raise fleet.trouble
        if not jobs.running:
            roster.gather(1, stop)
        if not stop():
            jobs.begin(sorted(roster.ready - jobs.running.keys()))
        for event in roster.poll():
            jobs.handle(event, stop())


class _LevelJobs:
    """The levels that are being trained, and those that wait for a worker.

    Args:
        levels: the list.
        flags: further flags of `mario-train`.
        fleet: the workers.
        reporter: prints the progress.

    Attributes:
        waiting: runs that wait for a worker.
        running: runs by worker.
    """

    def __init__(
        self, levels: LevelList, flags: Sequence[str], fleet: Fleet, reporter: LevelReporter
    ) -> None:
        self._levels, self._flags, self._fleet, self._reporter = levels, flags, fleet, reporter
        self.waiting = deque(levels.unfinished)
        self.running: dict[int, LevelRun] = {}

    def begin(self, workers: Sequence[int]) -> None:
        """Give waiting runs to idle workers."""
        for worker in workers[: len(self.waiting)]:
            run = self.running[worker] = self.waiting.popleft()
            self._reporter.started(run, f" on worker {worker}")
            self._levels.update(run, Status.RUNNING)
            files = FolderReader(run.path).changes()
            self._fleet.submit(worker, "begin", files, [*self._flags, *run.game_flags])

    def handle(self, event: Answer | Lost, stop: bool) -> None:
        """Handle the answer or the loss of a worker.

        Args:
            event: the event.
            stop: whether to save and stop the runs.
        """
        run = self.running.pop(event.worker, None)
        if run is None:
            return
        if isinstance(event, Lost):
            self._levels.update(run, Status.WAITING)
            self.waiting.appendleft(run)
            return
        report: LevelReport = event.value
        if report.changes is not None:
            write_changes(run.path, report.changes)
        if report.has_ended:
            record_end(self._levels, run, report.complete, report.reason)
            self._reporter.ended(run)
        else:
            self._reporter.running(run)
            self.running[event.worker] = run
            self._fleet.submit(event.worker, "poll", stop)


def _remove_abandoned_folders() -> None:
    """Remove the folders of workers that were killed, unless their training has not ended yet."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if not (folder / LOCK).is_file() or folder.stat().st_uid != os.getuid():
            continue
        try:
            os.close(lock_file(folder / LOCK))
        except (LockedError, OSError):
            continue
        shutil.rmtree(folder, ignore_errors=True)
