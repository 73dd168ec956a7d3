"""Builds transitions with stacked states and n-step returns from rows of single frames."""

from __future__ import annotations

import numpy as np
import torch
from tensordict import TensorDict

from agents.replay.frame_ring import FrameRing, Indices
from agents.replay.n_step import n_step_returns


class TransitionReader:
    """Reads transitions from a ring of rows.

    The state of row ``t`` consists of the frames of rows ``t - stack + 1`` to ``t``. Rows before
    the start of the episode, ``t - age``, are replaced by its first row.

    Args:
        ring: the rows.
        state_shape: ``(stack, height, width)`` of a state.
        n_step: number of steps over which rewards are summed.
        gamma: discount per step.
    """

    def __init__(
        self, ring: FrameRing, state_shape: tuple[int, ...], n_step: int, gamma: float
    ) -> None:
        self._ring = ring
        self._stack, self._image = state_shape[0], state_shape[1:]
        self._n_step, self._gamma = n_step, gamma
        stack = np.arange(1 - self._stack, 1)
        self._offsets = np.union1d(stack, stack + n_step)

    def read(self, envs: Indices, times: Indices) -> TensorDict:
        """Return the transitions that begin at the given rows.

        Args:
            envs: environment indices, int64 ``(batch,)``.
            times: times of the rows, int64 ``(batch,)``.

        Returns:
            ``state`` and ``next_state``, uint8 ``(batch, stack, height, width)``; ``action``,
            int64; ``reward``, float32, the discounted sum over the steps between the two states;
            and ``discount``, float32, the discount of the value of ``next_state``. Where the game
            ended in these steps, ``discount`` is 0 and ``next_state`` is meaningless.
        """
        slots = self._ring.slots(envs[:, None], times[:, None] + np.arange(self._n_step + 1))
        actions = self._ring.take("action", slots)
        rewards, discounts, steps = n_step_returns(
            self._ring.take("reward", slots[:, :-1]),
            self._ring.take("terminated", slots[:, :-1]),
            actions[:, 1:] < 0,  # a final frame, or the last intact state before damaged rows
            self._gamma,
        )
        # Where the next state matters, both stacks belong to the same episode. Both can then be
        # clamped at its beginning, and a frame that is in both is read once.
        frames = self._frames(envs, times, self._offsets)
        next_states = frames[:, -self._stack :]
        early = np.flatnonzero((steps < self._n_step) & (discounts > 0))
        if early.size:
            next_states = next_states.clone()
            next_states[early] = self._states(envs[early], times[early] + steps[early])
        columns = {
            "state": frames[:, : self._stack],
            "action": torch.from_numpy(actions[:, 0].astype(np.int64)),
            "reward": torch.from_numpy(rewards),
            "discount": torch.from_numpy(discounts),
            "next_state": next_states,
        }
        return TensorDict(columns, batch_size=[len(envs)])

    def _states(self, envs: Indices, times: Indices) -> torch.Tensor:
        return self._frames(envs, times, np.arange(1 - self._stack, 1))

    def _frames(self, envs: Indices, times: Indices, offsets: Indices) -> torch.Tensor:
        first = times - self._ring.take("age", self._ring.slots(envs, times))
        wanted = np.maximum(times[:, None] + offsets, first[:, None])
        frames = self._ring.take("frame", self._ring.slots(envs[:, None], wanted))
        return torch.from_numpy(frames.reshape(len(envs), len(offsets), *self._image))
