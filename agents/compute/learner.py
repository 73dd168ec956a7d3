"""Learner of a network by the gradient of a loss: shared by threads, shortened, checked, made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor, nn

from agents.compute.adam import total_norm
from agents.compute.data_parallel import DataParallel, LossFn
from agents.compute.precision import ComputeCopy

MOST_SKIPPED = 10
"""Learner in a row without a finite gradient after which learning is given up."""


class Learner:
    """Makes updates, and leaves out those whose gradient is not finite.

    Args:
        optimizer: of ``learning``.
        learning: the parameters to update, those of the compute_copy's network first.
        compute_copy: in whose numbers the losses are computed.
        parallel: shares each batch, if the compute_copy does not share each layer.
        max_norm: longest gradient that is not shortened; None for any length.

    Attributes:
        skipped_in_a_row: updates that were left out since the last that was made.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        learning: Sequence[Tensor],
        compute_copy: ComputeCopy[Any],
        parallel: DataParallel,
        max_norm: float | None,
    ) -> None:
        self.skipped_in_a_row = 0
        self._optimizer, self._learning = optimizer, list(learning)
        self._twin, self._crew, self._max_norm = compute_copy, parallel, max_norm
        like = compute_copy.learning
        self._computing = [*like, *self._learning[len(like) :]]

    def make(self, means: LossFn, batch: TensorDict) -> list[float] | None:
        """Make one update.

        Args:
            means: see `agents.compute.data_parallel.LossFn`; the first is the loss.
            batch: what they are taken over.

        Returns:
            The means over the batch and the length of the gradient, or None if the update was left
            out because one of them is not finite.

        Raises:
            FloatingPointError: too many in a row were left out.
        """
        parts = 1 if self._twin.shares_layers else None
        found, gradients = self._crew.gradients(means, batch, self._computing, parts)
        norm = total_norm(gradients, self._crew.pool)
        # the only wait for the device in an update
        numbers: list[float] = torch.cat((found, norm[None])).tolist()
        if not all(map(math.isfinite, numbers)):
            self._count_skipped(numbers)
            return None
        self.skipped_in_a_row = 0
        for parameter, gradient in zip(self._learning, gradients, strict=True):
            parameter.grad = gradient
        if self._max_norm is not None and numbers[-1] > self._max_norm:
            nn.utils.clip_grads_with_norm_(self._learning, self._max_norm, norm)
        self._optimizer.step()
        self._twin.follow()
        return numbers

    def state_dict(self) -> dict[str, Any]:
        """Return the number of updates skipped in a row."""
        return {"skipped_in_a_row": self.skipped_in_a_row}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.skipped_in_a_row = state["skipped_in_a_row"]

    def _count_skipped(self, numbers: list[float]) -> None:
        self.skipped_in_a_row += 1
        if self.skipped_in_a_row >= MOST_SKIPPED:
            raise FloatingPointError(
                f"{self.skipped_in_a_row} updates in a row were not finite (loss {numbers[0]}, "
                f"gradient norm {numbers[-1]}); lower learning_rate or max_grad_norm"
            )
