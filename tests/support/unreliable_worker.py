"""A worker of a cluster that does what no worker should do."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from mario.cluster.workers.gradient_worker import GradientWorker


class UnreliableWorker(GradientWorker):
    """In its first life, worker 0 returns NaN, and worker 1 hangs after its first update."""

    def advance(self, *arguments):
        worker, first_life = self._setup.worker, self._setup.life == 0
        if first_life and worker == 1 and self._weights.version > 0:
            time.sleep(3600)
        report = super().advance(*arguments)
        if first_life and worker == 0 and report.gradients is not None:
            values = np.full_like(report.gradients.values, np.nan)
            return replace(report, gradients=replace(report.gradients, values=values))
        return report
