"""Records the steps of a worker without their states, for the callbacks in the driver."""

from __future__ import annotations

from typing import Any

import numpy as np

from agents import Transitions
from mario.training.loop import TrainingStep

COLUMNS = tuple(name for name in Transitions._fields if name != "guidance")
"""The parts of a step that the driver receives."""


class StepRecorder:
    """Collects steps, and merges those in which no episode ended and nothing was learned.

    Args:
        first_env: index of the first environment in the run.
        num_envs: number of environments.
    """

    def __init__(self, first_env: int, num_envs: int) -> None:
        self._first_env, self._num_envs = first_env, num_envs
        self._open: list[Transitions] = []
        self._done: list[TrainingStep] = []

    def add(self, step: TrainingStep) -> None:
        """Add one step of all environments."""
        self._open.append(without_states(step.transitions))
        if step.final_infos or step.metrics is not None:
            self._merge(step)

    def take(self) -> tuple[TrainingStep, ...]:
        """Remove and return the recorded steps."""
        if self._open:
            self._merge(None)
        done, self._done = self._done, []
        return tuple(done)

    def _merge(self, last: TrainingStep | None) -> None:
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(each, name) for each in self._open]) for name in COLUMNS
        }
        merged = Transitions(**columns)
        before = (len(self._open) - 1) * self._num_envs
        final_infos = {} if last is None else last.final_infos
        self._done.append(
            TrainingStep(
                merged,
                {before + row: info for row, info in final_infos.items()},
                None if last is None else last.metrics,
                self._first_env,
                self._num_envs,
            )
        )
        self._open = []


def without_states(transitions: Transitions) -> Transitions:
    """Return transitions without their observations and guidance."""
    empty = np.zeros((0, *transitions.states.shape[1:]), np.uint8)
    return transitions._replace(states=empty, next_states=empty, guidance=None)
