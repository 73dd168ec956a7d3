"""The two-layer policy network of "Deep Reinforcement Learning: Pong from Pixels"."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, pad


class PolicyNetwork(nn.Module):
    """A softmax policy over frame differences: one hidden ReLU layer, no biases.

    The logit of the last action is fixed at 0, so with two actions the first has the probability
    ``sigmoid(logit)``: the network of http://karpathy.github.io/2016/05/31/rl/. Most pixels do not
    change between frames, so only the weights of the changed pixels are read.

    Args:
        num_pixels: number of pixels of a frame.
        num_actions: number of actions, at least 2.
        hidden_size: width of the hidden layer.

    Raises:
        ValueError: ``num_actions`` is less than 2.
    """

    def __init__(self, num_pixels: int, num_actions: int, hidden_size: int) -> None:
        super().__init__()
        if num_actions < 2:
            raise ValueError(f"num_actions is {num_actions}; give 2 or more")
        self.first = nn.Parameter(torch.randn(num_pixels, hidden_size) / math.sqrt(num_pixels))
        self.second = nn.Parameter(
            torch.randn(hidden_size, num_actions - 1) / math.sqrt(hidden_size)
        )

    def forward(self, differences: Tensor) -> Tensor:
        """Return log-probabilities ``(batch, num_actions)``.

        Args:
            differences: differences of successive frames, int16 ``(batch, num_pixels)``.
        """
        rows, pixels = differences.nonzero(as_tuple=True)
        counts = torch.bincount(rows, minlength=len(differences))
        weights = differences[rows, pixels].to(self.first.dtype) / 255
        offsets = counts.cumsum(0) - counts
        hidden = embedding_bag(pixels, self.first, offsets, mode="sum", per_sample_weights=weights)
        return pad(hidden.relu() @ self.second, (0, 1)).log_softmax(dim=1)
