"""Writes transitions as rows of single frames."""

from __future__ import annotations

from collections import deque
from itertools import takewhile
from typing import Any

import numpy as np
import torch

from agents.replay.frame_ring import FrameRing, Indices
from agents.replay.memory_map import LOST, MAX_AGE, NO_ACTION
from agents.transitions import States, Transitions


class TransitionWriter:
    """Appends transitions to a ring of rows.

    A row holds the newest frame of a state, the action, the reward, whether the step terminated
    the episode, and the age: the number of rows since the episode began. A truncated episode has an
    additional row with its final frame, from which returns are bootstrapped.

    Args:
        ring: the rows.
        num_envs: number of environments.
    """

    def __init__(self, ring: FrameRing, num_envs: int) -> None:
        self._ring = ring
        self._envs = np.arange(num_envs)
        self._ages: Indices = np.zeros(num_envs, np.int64)
        # times of the rows that are not transitions, so that they can be counted quickly
        self._final_times: list[deque[int]] = [deque() for _ in range(num_envs)]

    def append(self, transitions: Transitions, envs: Indices | None = None) -> None:
        """Write one step of every environment, or of some.

        Within an episode, the next state of a step must be the state of the following one.

        Args:
            transitions: the step.
            envs: the environments of the rows, int64 without duplicates; None for all.

        Raises:
            ValueError: the number of environments is not that of the ring, or of ``envs``.
        """
        envs = self._envs if envs is None else envs
        states, valid = transitions.states, transitions.valid
        if len(states) != len(envs):
            raise ValueError(f"transitions are of {len(states)} environments; give {len(envs)}")
        self._write(
            envs,
            states,
            action=np.where(valid, transitions.actions, NO_ACTION),
            reward=np.where(valid, transitions.rewards, 0),
            terminated=transitions.terminated & valid,
        )
        if not valid.all():
            self._note_final_rows(envs[~valid])
        self._ages[envs] = np.minimum(self._ages[envs] + 1, MAX_AGE)
        cut = np.flatnonzero(transitions.truncated & ~transitions.terminated & valid)
        if cut.size:
            final = transitions.next_states[cut]
            self._write(envs[cut], final, action=NO_ACTION, reward=0, terminated=False)
            self._note_final_rows(envs[cut])
        self._ages[envs[transitions.ended]] = 0

    def count_final_rows(self, starts: Indices, stops: Indices) -> int:
        """Count the rows of each environment in ``[starts, stops)`` that are not transitions.

        Args:
            starts: int64 ``(num_envs,)``, never less than in an earlier call.
            stops: int64 ``(num_envs,)``, at most a few steps before the newest rows.
        """
        count = 0
        for times, start, stop in zip(self._final_times, starts, stops, strict=True):
            while times and times[0] < start:
                times.popleft()
            count += len(times)
            count -= sum(1 for _ in takewhile(stop.__le__, reversed(times)))
        return count

    def check_valid(self) -> tuple[bool, str]:
        """Return whether the rows are consistent, and if not, the first problem.

        Every row of a window must still be stored. Ages must increase by 1 per row, and start from
        0 after each end of an episode, except at damaged rows.
        """
        for env, (tail, head) in enumerate(zip(self._ring.tails, self._ring.heads, strict=True)):
            if not self._ring.intact(env).all():
                return False, f"environment {env} has rows that do not belong in its window"
            actions, terminated, ages = (
                self._ring.span(name, env, tail, head) for name in ("action", "terminated", "age")
            )
            following = np.append(ages, self._ages[env])[1:]
            ended = terminated | (actions == NO_ACTION)
            expected = np.where(ended, 0, np.minimum(ages.astype(np.int64) + 1, MAX_AGE))
            known = (actions != LOST) & (np.append(actions, NO_ACTION)[1:] != LOST)
            if not np.array_equal(following[known], expected[known]):
                return False, f"environment {env} has ages that do not count up from 0"
        return True, ""

    def clear(self) -> None:
        """Begin new episodes after the ring was cleared."""
        self._ages = np.zeros_like(self._ages)
        self._find_final_rows()

    def state_dict(self) -> dict[str, Any]:
        """Return the ages of the next rows."""
        return {"ages": torch.from_numpy(self._ages.copy())}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned, after the state of the ring was restored."""
        self._ages = state["ages"].numpy().copy()
        self._find_final_rows()

    def _find_final_rows(self) -> None:
        for env, (tail, head) in enumerate(zip(self._ring.tails, self._ring.heads, strict=True)):
            final = self._ring.span("action", env, tail, head) < 0
            self._final_times[env] = deque((tail + np.flatnonzero(final)).tolist())

    def _note_final_rows(self, envs: Indices) -> None:
        heads, tails = self._ring.heads, self._ring.tails
        for env in envs:
            times = self._final_times[env]
            times.append(int(heads[env]) - 1)
            while times[0] < tails[env]:
                times.popleft()

    def _write(self, envs: Indices, states: States, **columns: Any) -> None:
        frames = states[:, -1].reshape(len(envs), -1)
        self._ring.append(envs, frame=frames, age=self._ages[envs], **columns)
