"""Contenders: workloads in processes of their own, measured in turns."""

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
    """A workload to be measured.

    Attributes:
        name: Name in the table.
        work: ``"module:function"`` of the workload, a generator; see `child`.
        arguments: Keyword arguments of the function.
        unit: The count that is measured.
        python: The Python interpreter that runs it.
        x: Position on the horizontal axis of the group's plot.
        curve: Name of its curve in that plot.
    """

    name: str
    work: str
    arguments: dict[str, Any] = field(default_factory=dict)
    unit: str = "steps"
    python: Path = Path(sys.executable)
    x: float | None = None
    curve: str = ""


class ContenderError(Exception):
    """A contender cannot be measured; the message is one line with the reason."""


class Running:
    """The warmed-up process of a contender."""

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
        """Run the workload for a number of seconds and return its counts.

        Raises:
            ContenderError: The process failed.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{seconds}\n")
            self._process.stdin.flush()
        result: dict[str, float] = json.loads(self._answer())
        return result

    def stop(self) -> None:
        """End the process and its children."""
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
        raise ContenderError(lines[-1] if lines else f"exit code {self._process.wait()}")


def measure(
    contenders: Sequence[Contender], rounds: int, seconds: float
) -> tuple[Samples, dict[str, str]]:
    """Measure contenders in turns, so that other load on the machine affects all of them equally.

    Returns:
        The counts of every round for each contender, and the reason for each that failed.
    """
    samples: Samples = {}
    errors: dict[str, str] = {}
    with ExitStack() as stack:
        running: dict[str, Running] = {}
        for contender in contenders:
            try:
                running[contender.name] = stack.enter_context(_stopped_after(contender))
            except ContenderError as error:
                errors[contender.name] = str(error)
        for _ in range(rounds):
            for name, process in running.items():
                samples.setdefault(name, []).append(process.measure(seconds))
    return samples, errors


def rates(samples: list[dict[str, float]], unit: str) -> list[float]:
    """Return the rate of each round in units per second.

    >>> rates([{"frames": 10.0, "seconds": 2.0}], "frames")
    [5.0]
    """
    return [sample[unit] / sample["seconds"] for sample in samples]


def median_ratio(values: list[float], baseline: list[float]) -> float:
    """Return the median over the rounds of the ratio of the values to the baseline.

    >>> median_ratio([2.0, 8.0, 3.0], [1.0, 2.0, 1.0])
    3.0
    """
    return statistics.median(a / b for a, b in zip(values, baseline, strict=True))


@contextlib.contextmanager
def _stopped_after(contender: Contender) -> Iterator[Running]:
    process = Running(contender)
    try:
        yield process
    finally:
        process.stop()
