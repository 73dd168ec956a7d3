"""Running means of a network's weights: they play more steadily than the weights that learn."""

from __future__ import annotations

import copy
from typing import Any, Generic, TypeVar

import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)

EVERY = 8
"""Learner between two looks at the weights: a look takes 1 ms where an update takes about 25."""


def ema_weight(looks: int, span: float) -> float:
    """How much of a running mean the newest of what it is taken of makes up.

    At first the mean is a plain one; from ``span`` looks on, older ones fade exponentially.

    Args:
        looks: how many there were before.
        span: how many the mean is to go back, at least 1.

    >>> [ema_weight(looks, span=2.5) for looks in (0, 1, 2, 3)]
    [1.0, 0.5, 0.4, 0.4]
    """
    return max(1 / (looks + 1), 1 / span)


class WeightAverage(Generic[N]):
    """A copy of a network, whose weights are running means of those that learn.

    What is learned from one batch after another sways, and with it the action that is best by a
    hair; a mean over many updates does not. Polyak and Juditsky 1992,
    https://doi.org/10.1137/0330046; of late ones only, as in https://arxiv.org/abs/1803.05407.

    Args:
        network: whose parameters that want a gradient are averaged. It is never written to.
        updates: over about how many updates, at least 1.

    Attributes:
        like: computes as ``network`` does, by the means.
    """

    def __init__(self, network: N, updates: int) -> None:
        self.like = copy.deepcopy(network).requires_grad_(False)
        pairs = list(zip(self.like.parameters(), network.parameters(), strict=True))
        learning = [pair for pair in pairs if pair[1].requires_grad]
        self._means = [mean.detach() for mean, _ in learning]
        self._weights = [weight.detach() for _, weight in learning]
        self._span = max(1.0, updates / EVERY)
        self._updates = 0

    def follow(self) -> None:
        """Take note that the network was updated once."""
        if self._updates % EVERY == 0:
            self._look(ema_weight(self._updates // EVERY, self._span))
        self._updates += 1

    def sync(self) -> None:
        """Begin anew from what the network is now."""
        self._look(1.0)
        self._updates = 0

    def state_dict(self) -> dict[str, Any]:
        """The means, by their place, and how many updates they have seen."""
        return {"means": list(self._means), "updates": self._updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        for mean, given in zip(self._means, state["means"], strict=True):
            mean.copy_(given)
        self._updates = state["updates"]

    def _look(self, share: float) -> None:
        torch._foreach_lerp_(self._means, self._weights, share)
