"""Workload: training with and without a Ray cluster on this machine."""

from __future__ import annotations

import tempfile
from queue import Queue
from threading import Thread

from child import Work

from mario.cluster.launch import cluster_session
from mario.commands.train import read_flags
from mario.training.callbacks import Callback
from mario.training.loop import TrainingStep
from mario.training.session import Session

FLAGS = (
    "--evaluation.episodes", "0", "--no-tensorboard", "--save-seconds", "86400",
    "--log-every", "1000000", "--steps", "1000000000",
)  # fmt: skip


class StepCounts(Callback):
    """Passes on the number of steps, and lets the training wait until it is taken."""

    def __init__(self) -> None:
        self.counts: Queue[int | BaseException] = Queue(maxsize=1)

    def on_step(self, step: TrainingStep) -> None:
        """See `Callback.on_step`."""
        self.counts.put(step.num_steps)


def steps(flags: list[str], workers: int = 0) -> Work:
    """Steps including learning.

    Args:
        flags: Flags of ``mario-train``.
        workers: Number of workers, 0 to train without a cluster.
    """
    cluster = ("--cluster", "auto", "--workers", str(workers)) if workers else ()
    folder = tempfile.mkdtemp()
    config, _ = read_flags([*flags, *FLAGS, *cluster, "--save-dir", folder])
    callback = StepCounts()

    def train() -> None:
        """Train, and pass on an error."""
        open_session = cluster_session if workers else Session
        try:
            with open_session(config, None, stop=lambda: False, callbacks=[callback]) as session:
                session.train()
        except BaseException as error:
            callback.counts.put(error)

    Thread(target=train, daemon=True).start()
    while not isinstance(count := callback.counts.get(), BaseException):
        yield {"steps": count}
    raise count
