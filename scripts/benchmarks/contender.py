"""Contenders, each in a process of its own, that take turns at being measured."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHILD = Path(__file__).with_name("child.py")
ROOT = Path(__file__).parents[2]

Samples = dict[str, list[dict[str, float]]]


@dataclass(frozen=True)
class Contender:
    """Something to be measured.

    Attributes:
        name: as the table has it.
        work: ``"module:function"`` of a generator beside this file, see `child`.
        arguments: its keyword arguments.
        unit: which of the numbers it yields is counted.
        python: runs it.
        x: where it stands on the horizontal axis of its group's plot.
        curve: which curve of that plot it is part of.
    """

    name: str
    work: str
    arguments: dict[str, Any] = field(default_factory=dict)
    unit: str = "decisions"
    python: Path = Path(sys.executable)
    x: float | None = None
    curve: str = ""


class Refused(Exception):
    """Raised when a contender cannot be measured; says why in a line."""


class Running:
    """A contender's process, warmed up."""

    def __init__(self, contender: Contender) -> None:
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with this object
        self._process = subprocess.Popen(
            [contender.python, CHILD, contender.work, json.dumps(contender.arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        try:
            self._answer()
        except BaseException:
            self.stop()
            raise

    def measure(self, seconds: float) -> dict[str, float]:
        """What it comes to in so many seconds.

        Raises:
            Refused: it failed.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{seconds}\n")
            self._process.stdin.flush()
        result: dict[str, float] = json.loads(self._answer())
        return result

    def stop(self) -> None:
        """End the process, and those that it started."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        if line := self._process.stdout.readline():
            return line
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        raise Refused(lines[-1] if lines else f"exit code {self._process.wait()}")


def measure(
    contenders: Sequence[Contender], rounds: int, seconds: float
) -> tuple[Samples, dict[str, str]]:
    """Measure all, taking turns, so that whatever else the machine does slows them alike.

    Returns:
        Of each that ran, its sums in every round; of each that did not, why.
    """
    samples: Samples = {}
    refused: dict[str, str] = {}
    with ExitStack() as stack:
        running: dict[str, Running] = {}
        for contender in contenders:
            try:
                running[contender.name] = stack.enter_context(_stopped_after(contender))
            except Refused as reason:
                refused[contender.name] = str(reason)
        for _ in range(rounds):
            for name, process in running.items():
                samples.setdefault(name, []).append(process.measure(seconds))
    return samples, refused


def rates(samples: list[dict[str, float]], unit: str) -> list[float]:
    """How many units a second in each round.

    >>> rates([{"frames": 10.0, "seconds": 2.0}], "frames")
    [5.0]
    """
    return [sample[unit] / sample["seconds"] for sample in samples]


def median_ratio(ours: list[float], theirs: list[float]) -> float:
    """Median over the rounds of how many times as fast the first is.

    >>> median_ratio([2.0, 8.0, 3.0], [1.0, 2.0, 1.0])
    3.0
    """
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


@contextlib.contextmanager
def _stopped_after(contender: Contender) -> Iterator[Running]:
    process = Running(contender)
    try:
        yield process
    finally:
        process.stop()
