"""The rollout buffer: the latest steps of every environment in temporal order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from agents.ppo.gae import generalized_advantages


def select_rows(batch: TensorDict, index: Tensor) -> TensorDict:
    """Return the same as ``batch[index]``, four times faster.

    Args:
        batch: batch of size ``(rows,)``.
        index: row indices, int64 ``(n,)``.
    """
    # torch's indexing copies byte by byte, index_select copies row by row
    columns = {name: column.index_select(0, index) for name, column in batch.items()}
    return TensorDict(columns, batch_size=index.shape, device=batch.device)


class RolloutBuffer:
    """Stores a rollout: consecutive steps of every environment.

    Args:
        horizon: steps per environment.
        num_envs: number of environments.
        state_shape: shape of a state, uint8.
        state_size: size of the recurrent state of an environment.
        device: device of the buffer.

    Attributes:
        horizon: capacity in steps per environment.
        length: number of stored steps per environment.
    """

    def __init__(
        self,
        horizon: int,
        num_envs: int,
        state_shape: tuple[int, ...],
        state_size: int,
        device: str = "cpu",
    ) -> None:
        self.horizon = horizon
        self.length = 0
        shape = (horizon, num_envs)
        float_columns = ("log_prob", "value", "next_value", "reward")
        bool_columns = ("terminated", "ended", "valid")
        self._steps = TensorDict(
            {"state": torch.zeros(*shape, *state_shape, dtype=torch.uint8)}
            | {"action": torch.zeros(shape, dtype=torch.int64)}
            | {name: torch.zeros(shape) for name in float_columns}
            | {name: torch.zeros(shape, dtype=torch.bool) for name in bool_columns},
            batch_size=shape,
            device=device,
        )
        self._initial_state = torch.zeros(num_envs, state_size, device=device)

    @property
    def full(self) -> bool:
        """Whether the buffer is full."""
        return self.length == self.horizon

    @property
    def nbytes(self) -> int:
        """Size of the buffer in bytes."""
        return sum(column.nbytes for column in self._steps.values())

    def add(self, step: Mapping[str, Tensor], recurrent_state: Tensor) -> None:
        """Store one step of every environment.

        Args:
            step: Columns by name, each ``(num_envs, ...)``: ``state``, ``action`` and its
                ``log_prob``, the ``value`` of the state, the ``reward``, whether the step
                ``terminated`` the game or ``ended`` the episode, whether it is ``valid``,
                and ``next_value``: the value of the next state, needed where no step of the same
                episode follows in the buffer.
            recurrent_state: Recurrent state before the step, ``(num_envs, state_size)``.

        Raises:
            RuntimeError: The buffer is full.
        """
        if self.full:
            raise RuntimeError(
                f"the rollout buffer is full ({self.horizon} steps); learn from it first"
            )
        if self.length == 0:
            self._initial_state.copy_(recurrent_state)
        for name, column in self._steps.items():
            column[self.length] = step[name]
        self.length += 1

    def sequences(self, gamma: float, gae_lambda: float, *, recurrent: bool) -> TensorDict:
        """Return all steps with their advantages and returns.

        Args:
            gamma: Discount factor, see `generalized_advantages`.
            gae_lambda: see `generalized_advantages`.
            recurrent: whether to return one sequence per environment, for recurrent policies,
                instead of sequences of one step.

        Returns:
            A batch of sequences with ``state``, ``action``, ``log_prob``, ``value``, ``advantage``,
            ``return``, ``episode_start`` (whether an episode starts at the step; False at the first
            step) and ``valid``, all ``(sequences, time, ...)``; and the ``recurrent_state`` before
            each sequence, ``(sequences, state_size)``.
        """
        steps = self._steps[: self.length]
        advantages = self._advantages(steps, gamma, gae_lambda)
        episode_starts = torch.zeros_like(steps["ended"])
        episode_starts[1:] = steps["ended"][:-1]
        selected = steps.select("state", "action", "log_prob", "value", "valid")
        selected["advantage"], selected["return"], selected["episode_start"] = (
            advantages, advantages + steps["value"], episode_starts,
        )  # fmt: skip
        if recurrent:
            selected = selected.transpose(0, 1)
            recurrent_state = self._initial_state
        else:
            selected = selected.reshape(-1, 1)
            recurrent_state = self._initial_state[:1].expand(len(selected), -1)
        return TensorDict(
            dict(selected.items()) | {"recurrent_state": recurrent_state},
            batch_size=selected.batch_size[:1],
            device=self._steps.device,
        )

    def clear(self) -> None:
        """Remove all steps."""
        self.length = 0

    def state_dict(self) -> dict[str, Any]:
        """Return the stored steps."""
        steps = {name: column[: self.length] for name, column in self._steps.items()}
        return {name: column.cpu().clone() for name, column in steps.items()} | {
            "recurrent_state": self._initial_state.cpu().clone()
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ValueError: the state has another number of environments or a longer horizon.
        """
        self.length = len(state["action"])
        for name, column in [*self._steps.items(), ("recurrent_state", self._initial_state)]:
            target = column if name == "recurrent_state" else column[: self.length]
            if target.shape != state[name].shape:
                raise ValueError(
                    f"the saved rollout has {name} {tuple(state[name].shape)}, this one "
                    f"{tuple(target.shape)}; resume with the num_envs and horizon of the run"
                )
            target.copy_(state[name])

    def _advantages(self, steps: TensorDict, gamma: float, gae_lambda: float) -> Tensor:
        next_values = steps["next_value"].clone()
        next_values[:-1] = torch.where(steps["ended"][:-1], next_values[:-1], steps["value"][1:])
        return generalized_advantages(
            steps["reward"],
            steps["value"],
            next_values,
            steps["terminated"],
            steps["ended"],
            gamma,
            gae_lambda,
        )
