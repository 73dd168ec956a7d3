"""What the runs of a list have reached: a line for each, and a table of all."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mario.levels.level_list import LevelList, LevelRun, Status
from mario.levels.training_process import CONSOLE
from mario.system.announce import counted

TAIL_BYTES = 8192
REPORT_SECONDS = 60.0
"""Time between two lines about the progress of a level."""


@dataclass(frozen=True)
class LevelProgress:
    """What a run has reached.

    Attributes:
        steps: agent steps up to the last evaluation or finished episode, 0 before the first one.
        seconds: duration of the run up to then.
        best: its best evaluation in words; ``""`` before the first one.
    """

    steps: int = 0
    seconds: float = 0.0
    best: str = ""

    def __str__(self) -> str:
        if not self.steps:
            return "no episode has ended yet"
        best = f" - best {self.best}" if self.best else ""
        return f"{counted(self.steps, 'step')} in {self.seconds / 60:.1f} minutes{best}"


def read_progress(run: Path) -> LevelProgress:
    """Read what a run has reached from its ``metrics.csv`` and ``evaluations.csv``.

    Files that are damaged count as empty; the run itself repairs them when it is resumed.
    """
    evaluations = _rows(run / "evaluations.csv")
    rows = [*_last_row(run / "metrics.csv"), *evaluations[-1:]]
    try:
        return LevelProgress(
            steps=max((int(row.get("step") or row["steps_trained"]) for row in rows), default=0),
            seconds=max((float(row["seconds"]) for row in rows), default=0.0),
            best=_best(evaluations),
        )
    except (KeyError, TypeError, ValueError):
        return LevelProgress()


class LevelReporter:
    """Prints the progress of the levels of a list.

    Args:
        levels: the list.
        report: receives the lines.
    """

    def __init__(self, levels: LevelList, report: Callable[[str], None]) -> None:
        self._levels, self._report = levels, report
        self._reported_at: dict[str, float] = {}

    def started(self, run: LevelRun, where: str = "") -> None:
        """Say that a level is being trained.

        Args:
            run: its run.
            where: a place, with a space before it.
        """
        self._reported_at[run.game] = time.monotonic()
        progress = read_progress(run.path)
        since = f", resumed after {counted(progress.steps, 'step')}" if progress.steps else ""
        self._report(f"{self._name(run)}: training{where}{since}, in {run.path}")

    def running(self, run: LevelRun) -> None:
        """Say how far the training of a level is, if `REPORT_SECONDS` have passed."""
        now = time.monotonic()
        if now - self._reported_at[run.game] < REPORT_SECONDS:
            return
        self._reported_at[run.game] = now
        self._report(f"{self._name(run)}: {read_progress(run.path)}")

    def ended(self, run: LevelRun) -> None:
        """Say how the training of a level has ended."""
        if run.status is Status.COMPLETE:
            self._report(f"{self._name(run)}: complete: {read_progress(run.path)}")
        elif run.status is Status.FAILED:
            self._report(f"{self._name(run)}: failed: {run.reason}; see {run.path / CONSOLE}")
        else:
            self._report(f"{self._name(run)}: stopped and saved: {read_progress(run.path)}")

    def _name(self, run: LevelRun) -> str:
        runs = self._levels.runs
        width = len(str(len(runs)))
        return f"[{runs.index(run) + 1:{width}}/{len(runs)}] {run.game}"


def format_summary(levels: LevelList) -> str:
    """Return a table of all levels: best evaluation, steps, minutes and folder."""
    rows = [("level", "status", "best evaluation", "steps", "minutes", "folder")]
    for run in levels.runs:
        progress = read_progress(run.path)
        minutes = f"{progress.seconds / 60:.1f}" if progress.steps else "-"
        steps = f"{progress.steps:,}" if progress.steps else "-"
        best = progress.best or "-"
        rows.append((run.game, run.status.value, best, steps, minutes, str(run.path)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        left = [cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(row[3:5], widths[3:5], strict=True)]
        lines.append("  ".join([*left, *right, row[5]]))
    return "\n".join(lines)


def _best(evaluations: list[dict[str, str]]) -> str:
    """Return the best evaluation in words; games without positions have only returns."""
    if not evaluations:
        return ""
    has_levels = any(row["mean_x_pos"] or float(row["clear_rate"]) for row in evaluations)
    if has_levels:
        return f"{max(float(row['clear_rate']) for row in evaluations):.0%} cleared"
    return f"mean return {max(float(row['mean_return']) for row in evaluations):.1f}"


def _rows(file: Path) -> list[dict[str, str]]:
    """Return the complete rows of a CSV file; none if there is no file."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return list(csv.DictReader(text[: text.rfind("\n") + 1].splitlines()))


def _last_row(file: Path) -> list[dict[str, str]]:
    """Return the last complete row of a CSV file without reading all of it; none without rows."""
    try:
        with open(file, "rb") as opened:
            header = opened.readline().decode(errors="replace")
            opened.seek(max(opened.tell(), os.fstat(opened.fileno()).st_size - TAIL_BYTES))
            tail = opened.read().decode(errors="replace")
    except OSError:
        return []
    lines = tail[: tail.rfind("\n") + 1].splitlines()
    return list(csv.DictReader([header, lines[-1]])) if lines else []
