"""Heads that map features to Q values: plain and dueling."""

from __future__ import annotations

from torch import Tensor, nn


class Head(nn.Sequential):
    """A hidden layer with a ReLU, and a linear output layer.

    Mnih et al. 2015, https://www.nature.com/articles/nature14236, "Model architecture".

    Args:
        num_features: number of inputs.
        hidden_size: width of the hidden layer.
        num_outputs: number of outputs.
    """

    def __init__(self, num_features: int, hidden_size: int, num_outputs: int) -> None:
        super().__init__(
            nn.Linear(num_features, hidden_size), nn.ReLU(), nn.Linear(hidden_size, num_outputs)
        )


class DuelingHead(nn.Module):
    """Two streams with a hidden layer each: the state value and the advantages of the actions.

    Every transition trains the state value, whichever action was taken. Wang et al. 2015,
    https://arxiv.org/abs/1511.06581, section 3, without the rescaling of gradients.

    Args:
        num_features: number of inputs.
        hidden_size: width of each hidden layer.
        num_actions: number of Q values.
    """

    def __init__(self, num_features: int, hidden_size: int, num_actions: int) -> None:
        super().__init__()
        self.value = Head(num_features, hidden_size, 1)
        self.advantages = Head(num_features, hidden_size, num_actions)

    def forward(self, features: Tensor) -> Tensor:
        """Return the Q values, float32 ``(batch, num_actions)``.

        Args:
            features: float ``(batch, num_features)``.
        """
        # The layers may compute in bfloat16; their sum must not be rounded to it.
        return dueling_values(self.value(features).float(), self.advantages(features).float())


def dueling_values(value: Tensor, advantages: Tensor) -> Tensor:
    """Return the Q values ``V + A - mean(A)`` of a dueling network.

    Wang et al. 2015, https://arxiv.org/abs/1511.06581, equation 9.

    Args:
        value: values of the states, float ``(batch, 1)``.
        advantages: advantages of the actions, float ``(batch, actions)``.

    Returns:
        ``(batch, actions)``. The mean over the actions is the state value.

    Raises:
        ValueError: the shape of ``value`` is not ``(batch, 1)``.

    >>> import torch
    >>> dueling_values(torch.tensor([[10.0]]), torch.tensor([[1.0, 5.0]]))
    tensor([[ 8., 12.]])
    """
    if value.shape != (len(advantages), 1):
        raise ValueError(f"value has the shape {tuple(value.shape)}; give {(len(advantages), 1)}")
    return value + advantages - advantages.mean(dim=1, keepdim=True)
