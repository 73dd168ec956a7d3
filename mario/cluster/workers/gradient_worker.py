"""A worker that plays and computes gradients, which the driver turns into updates."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from mario.cluster.workers.building import (
    find_learner,
    make_envs,
    make_noise,
    make_worker_agent,
    module_names,
)
from mario.cluster.workers.messages import Gradients, Report, Start, Weights, WorkerSetup
from mario.cluster.workers.recorder import StepRecorder
from mario.cluster.workers.tensors import flatten, load
from mario.training.loop import play
from mario.vector.replay_point import ReplayPoint

PAUSE_SECONDS = 1.0
"""Time after which a worker that has not finished a gradient reports that it is alive."""


class GradientWorker:
    """Runs the training loop of one agent, in which the driver performs the optimizer steps.

    The loop runs in a thread of its own, which waits whenever the worker has something to report.
    So the agent learns by its usual code, and `Learner.step` returns when the next weights arrive.

    Args:
        setup: what to build.
        clock: returns the time of a monotonic clock in seconds.

    Raises:
        UsageError: the agent has no `Learner`.
    """

    def __init__(self, setup: WorkerSetup, clock: Callable[[], float] = time.monotonic) -> None:
        self._setup, self._clock = setup, clock
        self._envs = make_envs(setup)
        self._agent = make_worker_agent(setup, self._envs)
        self._noise = make_noise(setup, self._agent)
        self._learner = find_learner(self._agent)
        self._learner.exchange = self._exchange
        self._recorder = StepRecorder(setup.worker * setup.num_envs, setup.num_envs)
        self._weights = Weights(0, np.zeros(0, np.float32))
        self._exchanged, self._pause_at, self._steps_left = False, 0.0, 0
        self._loop = threading.Thread(target=self._run, name="training loop", daemon=True)
        self._reports: queue.SimpleQueue[Report | BaseException] = queue.SimpleQueue()
        self._orders: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def start(self, start: Start) -> None:
        """Load weights and, if there is one, the state of an earlier worker."""
        self._agent.load_policy_state_dict(start.policy)
        if start.state is None:
            self._agent.start_at(start.steps)
            self._states, _ = self._envs.reset()
            return
        self._agent.load_state_dict(start.state["agent"])
        if self._noise is not None:
            self._noise.load_state_dict(start.state["noise"])
        points = [ReplayPoint.from_dict(values) for values in start.state["envs"]]
        self._states, _ = self._envs.restore(points)

    def advance(self, weights: Weights | None, steps_left: int | None = None) -> Report:
        """Continue until there is a gradient, a round of learning ends, or some time has passed.

        Args:
            weights: the weights to continue with; None to continue after a pause.
            steps_left: agent steps after which to end the round even if the agent has not learned;
                None for no limit. Ignored after a pause.
        """
        if weights is not None:
            load(weights.values, self._learner.parameters)
            self._weights = weights
            if not self._loop.is_alive():
                self._learner.sync()
            self._steps_left = 2**62 if steps_left is None else steps_left
        self._pause_at = self._clock() + PAUSE_SECONDS
        if self._loop.is_alive():
            self._orders.put(True)
        else:
            self._loop.start()
        report = self._reports.get()
        if isinstance(report, BaseException):
            raise report
        return report

    def state_dict(self, with_modules: bool) -> dict[str, Any]:
        """Return the state for an exact resume, after a report without a gradient.

        Args:
            with_modules: whether to include networks, which are the same in all workers.
        """
        for part in self._agent.persistent_parts():
            part.flush()
        state = self._agent.state_dict()
        if not with_modules:
            for name in module_names(self._agent):
                del state[name]
        for part in self._agent.persistent_parts():
            part.mark_saved()
        points = [point.to_dict() for point in self._envs.replay_log()]
        noise = {} if self._noise is None else self._noise.state_dict()
        return {"life": self._setup.life, "agent": state, "envs": points, "noise": noise}

    def close(self) -> None:
        """Stop the loop and release everything."""
        if self._loop.is_alive():
            self._orders.put(False)
            self._loop.join()
        self._agent.close()
        self._envs.close()

    def _run(self) -> None:
        try:
            for step in play(self._agent, self._envs, self._states, noise=self._noise):
                self._recorder.add(step)
                self._steps_left -= step.num_steps
                learned = self._exchanged and step.metrics is not None
                round_ended = learned or self._steps_left <= 0
                if round_ended or self._clock() >= self._pause_at:
                    self._exchanged = False
                    self._hand_over(Report(self._recorder.take(), round_ended=round_ended))
        except _ClosedError:
            pass
        except BaseException as error:  # the driver's call raises it
            self._reports.put(error)

    def _exchange(
        self, gradients: Sequence[Tensor], means: dict[str, float]
    ) -> dict[str, float] | None:
        """Hand over gradients, and return the scalars of the update that the driver performed."""
        self._exchanged = True
        values, layout = flatten(gradients)
        learning_rate = self._learner.learning_rate
        message = Gradients(self._weights.version, values, layout, means, learning_rate)
        self._hand_over(Report(self._recorder.take(), message))
        return self._weights.scalars

    def _hand_over(self, report: Report) -> None:
        self._reports.put(report)
        if not self._orders.get():
            raise _ClosedError


class _ClosedError(Exception):
    """Raised in the loop when the worker is closed."""
