"""The latest steps of every game in their order: what is learned from and then forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from agents.ppo.advantages import generalized_advantages


def dealt(batch: TensorDict, index: Tensor) -> TensorDict:
    """Some rows of a batch, which is ``batch[index]`` in a quarter of the time.

    Args:
        batch: ``(rows,)``.
        index: which, int64 ``(n,)``.
    """
    # torch indexes byte by byte, but selects row by row
    chosen = {name: column.index_select(0, index) for name, column in batch.items()}
    return TensorDict(chosen, batch_size=index.shape, device=batch.device)


class RolloutBuffer:
    """As many steps of every game as are learned from at a time.

    Args:
        horizon: steps of each game.
        num_envs: games.
        state_shape: shape of a state, uint8.
        state_size: length of what a policy carries from step to step for each game.
        device: where the steps are kept.

    Attributes:
        horizon: steps of each game when it is full.
        length: steps of each game so far.
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
        numbers = ("log_prob", "value", "next_value", "reward")
        marks = ("terminated", "ended", "happened")
        self._steps = TensorDict(
            {"state": torch.zeros(*shape, *state_shape, dtype=torch.uint8)}
            | {"action": torch.zeros(shape, dtype=torch.int64)}
            | {name: torch.zeros(shape) for name in numbers}
            | {name: torch.zeros(shape, dtype=torch.bool) for name in marks},
            batch_size=shape,
            device=device,
        )
        self._carried = torch.zeros(num_envs, state_size, device=device)

    @property
    def full(self) -> bool:
        """Whether it is time to learn."""
        return self.length == self.horizon

    @property
    def last(self) -> bool:
        """Whether the next step fills it."""
        return self.length == self.horizon - 1

    @property
    def nbytes(self) -> int:
        """Bytes of all steps."""
        return sum(column.nbytes for column in self._steps.values())

    def add(self, step: Mapping[str, Tensor], recurrent_state: Tensor) -> None:
        """Remember one step of every game.

        Args:
            step: by name, each ``(num_envs, ...)``: ``state``, ``action``, its ``log_prob``, the
                ``value`` before it, its ``reward``, whether it ``terminated`` the game or
                ``ended`` the episode, whether it ``happened`` at all; and, where nothing follows
                in the same episode here, as ``next_value`` the value of the state that came of it.
            recurrent_state: what the policy recurrent_state into the step, ``(num_envs, state_size)``.

        Raises:
            RuntimeError: it is full.
        """
        if self.full:
            raise RuntimeError(f"the rollout has its {self.horizon} steps; learn from it first")
        if self.length == 0:
            self._carried.copy_(recurrent_state)
        for name, column in self._steps.items():
            column[self.length] = step[name]
        self.length += 1

    def sequences(self, gamma: float, lam: float, *, whole: bool) -> TensorDict:
        """All steps, with what is to be learned from them.

        Args:
            gamma: see `generalized_advantages`.
            lam: see `generalized_advantages`.
            whole: whether the steps of a game stay together, as a policy that remembers needs it.

        Returns:
            ``(sequences,)``, game by game if ``whole``, else step by step: ``state``, ``action``,
            ``log_prob``, ``value``, ``advantage``, ``return``, ``begins`` (an episode begins with
            the step) and ``happened``, all ``(sequences, time, ...)``, and what is ``recurrent_state``
            into each sequence, ``(sequences, state_size)``.
        """
        steps = self._steps[: self.length]
        advantages = self._advantages(steps, gamma, lam)
        begins = torch.zeros_like(steps["ended"])
        begins[1:] = steps["ended"][:-1]
        kept = steps.select("state", "action", "log_prob", "value", "happened")
        kept["advantage"], kept["return"], kept["begins"] = (
            advantages, advantages + steps["value"], begins,
        )  # fmt: skip
        if whole:
            kept = kept.transpose(0, 1)
            recurrent_state = self._carried
        else:
            kept = kept.reshape(-1, 1)
            recurrent_state = self._carried[:1].expand(len(kept), -1)
        return TensorDict(
            dict(kept.items()) | {"recurrent_state": recurrent_state},
            batch_size=kept.batch_size[:1],
            device=self._steps.device,
        )

    def clear(self) -> None:
        """Forget all steps."""
        self.length = 0

    def state_dict(self) -> dict[str, Any]:
        """The steps so far."""
        steps = {name: column[: self.length] for name, column in self._steps.items()}
        return {name: column.cpu().clone() for name, column in steps.items()} | {
            "recurrent_state": self._carried.cpu().clone()
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where `state_dict` was taken.

        Raises:
            ValueError: it is of other games or of a longer horizon.
        """
        self.length = len(state["action"])
        for name, column in [*self._steps.items(), ("recurrent_state", self._carried)]:
            place = column if name == "recurrent_state" else column[: self.length]
            if place.shape != state[name].shape:
                raise ValueError(
                    f"a rollout has {name} {tuple(state[name].shape)}, this one "
                    f"{tuple(place.shape)}; resume with the games and the horizon of the run"
                )
            place.copy_(state[name])

    def _advantages(self, steps: TensorDict, gamma: float, lam: float) -> Tensor:
        after = steps["next_value"].clone()
        after[:-1] = torch.where(steps["ended"][:-1], after[:-1], steps["value"][1:])
        return generalized_advantages(
            steps["reward"], steps["value"], after, steps["terminated"], steps["ended"], gamma, lam
        )
