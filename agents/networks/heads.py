"""Heads: what turns a network's features into the value of each action."""

from __future__ import annotations

from torch import Tensor, nn

from agents.ddqn.targets import dueling_values


class Head(nn.Sequential):
    """A hidden layer, and the values of ``num_outputs`` actions.

    Mnih et al. 2015, https://www.nature.com/articles/nature14236, "Model architecture".
    """

    def __init__(self, num_features: int, hidden: int, num_outputs: int) -> None:
        super().__init__(nn.Linear(num_features, hidden), nn.ReLU(), nn.Linear(hidden, num_outputs))


class DuelingHead(nn.Module):
    """Two streams, each with a hidden layer: the value of a state, and advantages of actions.

    What a state is worth is learned from every action tried there. Wang et al. 2015,
    https://arxiv.org/abs/1511.06581, section 3, without its scaling of gradients.

    Args:
        num_features: how many numbers come in.
        hidden: width of each of the hidden layers.
        num_actions: how many values come out.
    """

    def __init__(self, num_features: int, hidden: int, num_actions: int) -> None:
        super().__init__()
        self.value = Head(num_features, hidden, 1)
        self.advantages = Head(num_features, hidden, num_actions)

    def forward(self, features: Tensor) -> Tensor:
        """Values, ``(batch, num_actions)``, of features ``(batch, num_features)``."""
        # a sum is not to be rounded to bfloat16, though the layers may be in it
        return dueling_values(self.value(features).float(), self.advantages(features).float())
