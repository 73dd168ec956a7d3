"""Averages the weights of a network over its latest updates."""

from __future__ import annotations

import copy
from typing import Any, Generic, TypeVar

import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)

AVERAGING_INTERVAL = 8
"""Updates between two samples of the weights. A sample takes 1 ms, an update about 25 ms."""


def ema_weight(num_samples: int, span: float) -> float:
    """Return the weight of the newest sample in a running average.

    The first ``span`` samples have equal weights; later, older ones decay exponentially.

    Args:
        num_samples: number of samples before this one.
        span: number of samples that the average covers, at least 1.

    >>> [ema_weight(num_samples, span=2.5) for num_samples in (0, 1, 2, 3)]
    [1.0, 0.5, 0.4, 0.4]
    """
    return max(1 / (num_samples + 1), 1 / span)


class WeightAverage(Generic[N]):
    """A copy of a network with running averages of its weights.

    Single updates move the weights back and forth, which changes the greedy action where two
    actions have nearly the same value; an average over many updates is more stable. See Polyak and
    Juditsky 1992, https://doi.org/10.1137/0330046, and, for averages over recent updates only,
    Izmailov et al. 2018, https://arxiv.org/abs/1803.05407.

    Args:
        source: the network. Its parameters that require a gradient are averaged.
        num_updates: number of updates that the average covers, at least 1.

    Attributes:
        network: the copy.
    """

    def __init__(self, source: N, num_updates: int) -> None:
        self.network = copy.deepcopy(source).requires_grad_(False)
        pairs = zip(self.network.parameters(), source.parameters(), strict=True)
        trainable = [pair for pair in pairs if pair[1].requires_grad]
        self._averages = [average.detach() for average, _ in trainable]
        self._weights = [weight.detach() for _, weight in trainable]
        self._span = max(1.0, num_updates / AVERAGING_INTERVAL)
        self._num_updates = 0

    def update(self) -> None:
        """Count an update of the source; sample its weights every `AVERAGING_INTERVAL` updates."""
        if self._num_updates % AVERAGING_INTERVAL == 0:
            self._add_sample(ema_weight(self._num_updates // AVERAGING_INTERVAL, self._span))
        self._num_updates += 1

    def sync(self) -> None:
        """Restart the average from the current weights of the source."""
        self._add_sample(1.0)
        self._num_updates = 0

    def state_dict(self) -> dict[str, Any]:
        """Return the averages, in the order of the parameters, and the number of updates."""
        return {"averages": list(self._averages), "num_updates": self._num_updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        for average, saved in zip(self._averages, state["averages"], strict=True):
            average.copy_(saved)
        self._num_updates = state["num_updates"]

    def _add_sample(self, weight: float) -> None:
        torch._foreach_lerp_(self._averages, self._weights, weight)
