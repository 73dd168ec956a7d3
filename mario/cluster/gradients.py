"""Shared gradients: every worker computes gradients, and the driver performs the updates."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from agents import Learner
from mario.cluster.protocol import Answer, Fleet, Lost
from mario.cluster.roster import Roster
from mario.cluster.workers.messages import Gradients, Report, Weights
from mario.cluster.workers.tensors import Layout, flatten, unflatten
from mario.training.loop import TrainingStep

PAUSE_SECONDS = 10.0
"""Time without a gradient after which a round is paused, so that the run can be saved."""
MAX_NON_FINITE = 3
"""Gradients in a row that are not finite, after which a worker is replaced."""


class Barrier(NamedTuple):
    """A point at which all workers wait.

    Attributes:
        steps: their steps since the last barrier, in the order of the workers.
        resumable: whether the state of all workers can be saved now.
    """

    steps: list[TrainingStep]
    resumable: bool


class GradientRounds:
    """Directs the workers through rounds of learning.

    In a round every worker plays until its agent learns, and then goes through the updates of its
    agent. Before each update the driver combines the gradients of all workers, in the order of
    their indices, so that the result does not depend on which of them is the fastest. Workers join
    between rounds.

    Args:
        fleet: the workers.
        roster: those that are ready.
        learner: performs the updates.
        stopping: polled; True ends the round early, where its state can be saved.
        steps_left: returns the number of agent steps left in the run, None without a limit.
        report: receives one line for each worker that returns gradients which are not finite.
        clock: returns the time of a monotonic clock in seconds.

    Attributes:
        version: number of the current weights.
        bytes: bytes of gradients and weights so far.
    """

    def __init__(
        self,
        fleet: Fleet,
        roster: Roster,
        learner: Learner[nn.Module],
        *,
        stopping: Callable[[], bool],
        steps_left: Callable[[], int | None],
        report: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.version, self.bytes = 0, 0
        self._fleet, self._roster, self._learner = fleet, roster, learner
        self._stopping, self._steps_left, self._report = stopping, steps_left, report
        self._clock = clock
        self._strikes: dict[int, int] = {}
        self._publish(None)

    def barriers(self) -> Iterator[Barrier]:
        """Yield every point at which all workers wait; continue with the next value."""
        self._roster.gather(self._fleet.size, self._stopping)
        while True:
            yield from self._round()
            self._roster.gather(1, self._stopping)

    def _round(self) -> Iterator[Barrier]:
        started, any_gradient = self._clock(), False
        running = set(self._roster.ready)

        def may_pause() -> bool:
            """Return whether the round may end here, so that it can be saved."""
            late = not any_gradient and self._clock() - started > PAUSE_SECONDS
            return late or self._stopping()

        while True:
            self._advance(running)
            reports = self._collect(running, may_pause)
            gradients = {worker: report.gradients for worker, report in reports.items()}
            usable = {worker: each for worker, each in gradients.items() if each is not None}
            any_gradient = any_gradient or bool(usable)
            yield Barrier(_steps(reports), resumable=not usable and bool(self._roster.ready))
            if not usable:
                return
            self._update(usable)
            unfinished = {worker for worker in reports if not reports[worker].round_ended}
            running = unfinished & self._roster.ready  # one may have been replaced

    def _advance(self, workers: set[int]) -> None:
        """Let workers continue with the current weights."""
        left = self._steps_left()
        share = None if left is None else max(1, math.ceil(left / max(1, len(workers))))
        for worker in sorted(workers):
            self._fleet.submit(worker, "advance", self._weights, share)
        self.bytes += self._nbytes * len(workers)

    def _collect(self, workers: set[int], may_pause: Callable[[], bool]) -> dict[int, Report]:
        """Return the report of each worker that is not lost.

        A worker that has only paused continues, unless all workers may pause.
        """
        reports: dict[int, Report] = {}
        waiting, paused = set(workers), set[int]()
        while waiting:
            for event in self._roster.poll():
                waiting.discard(event.worker)
                paused.discard(event.worker)
                if isinstance(event, Lost):
                    reports.pop(event.worker, None)
                    continue
                report = _merged(reports.get(event.worker), event)
                reports[event.worker] = report
                if report.gradients is None and not report.round_ended:
                    paused.add(event.worker)
            any_gradient = any(report.gradients for report in reports.values())
            if paused and (any_gradient or not may_pause()):
                for worker in sorted(paused):
                    self._fleet.submit(worker, "advance", None)
                waiting |= paused
                paused = set()
        return reports

    def _update(self, gradients: dict[int, Gradients]) -> None:
        """Perform one update with the gradients of all workers, and publish the weights."""
        self.bytes += self._nbytes * len(gradients)
        finite = self._finite(gradients)
        total, layout = combined(finite, self._fleet.size, self._learner.reduction)
        device = self._learner.parameters[0].device
        self._learner.set_learning_rate(finite[0].learning_rate)
        names = finite[0].means
        means = {name: float(np.mean([each.means[name] for each in finite])) for name in names}
        scalars = self._learner.apply(
            [tensor.to(device) for tensor in unflatten(total, layout)],
            {name: torch.tensor(mean, device=device) for name, mean in means.items()},
        )
        self.version += 1
        self._publish(scalars)

    def _publish(self, scalars: dict[str, float] | None) -> None:
        values, _ = flatten(self._learner.parameters)
        self._nbytes = values.nbytes
        self._weights: Any = self._fleet.publish(Weights(self.version, values, scalars))

    def _finite(self, gradients: dict[int, Gradients]) -> list[Gradients]:
        """Return the finite gradients in the order of the workers, or all if none is finite.

        A worker whose gradients are repeatedly not finite is replaced, unless this is so for all
        workers: then the learning diverges, and `Learner` stops it.
        """
        good = {worker for worker, each in gradients.items() if np.isfinite(each.values).all()}
        if not good and len(gradients) == self._fleet.size:
            return [gradients[worker] for worker in sorted(gradients)]
        for worker in sorted(gradients):
            self._strikes[worker] = 0 if worker in good else self._strikes.get(worker, 0) + 1
            if worker not in good:
                self._report(f"worker {worker} returned a gradient that is not finite; ignored")
            if self._strikes[worker] >= MAX_NON_FINITE:
                self._strikes[worker] = 0
                self._roster.dismiss(worker, f"{MAX_NON_FINITE} gradients were not finite")
        return [gradients[worker] for worker in sorted(good or gradients)]


def combined(
    gradients: Sequence[Gradients], num_workers: int, reduction: str
) -> tuple[NDArray[np.float32], Layout]:
    """Return the gradient of the workers' common batch.

    Args:
        gradients: those of the workers that answered, in the order of the workers.
        num_workers: number of workers among which the batch was divided.
        reduction: see `agents.Learner`. A sum is scaled up for workers that did not answer.

    Returns:
        The gradient and its layout.
    """
    first = gradients[0]
    total = first.values.copy()
    for each in gradients[1:]:
        if each.layout == first.layout:
            total += each.values
        else:  # another kind of processor may return another memory format
            pairs = zip(
                unflatten(total, first.layout),
                unflatten(each.values.copy(), each.layout),
                strict=True,
            )
            for own, other in pairs:
                own += other
    scale = (num_workers if reduction == "sum" else 1) / len(gradients)
    if scale != 1.0:
        total *= np.float32(scale)
    return total, first.layout


def _merged(earlier: Report | None, event: Answer) -> Report:
    report: Report = event.value
    if earlier is None:
        return report
    return replace(report, steps=earlier.steps + report.steps)


def _steps(reports: dict[int, Report]) -> list[TrainingStep]:
    """Return the steps in the order of the workers; only those of the first one keep metrics.

    All workers return the metrics of the updates that they performed together.
    """
    first = min(reports, default=0)
    return [
        step if worker == first else step._replace(metrics=None)
        for worker in sorted(reports)
        for step in reports[worker].steps
    ]
