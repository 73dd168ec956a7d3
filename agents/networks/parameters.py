"""Loading of saved parameters with an error that names the first mismatch."""

from __future__ import annotations

from typing import Any

from torch import nn


def load_parameters(network: nn.Module, weights: dict[str, Any]) -> None:
    """Copy tensors into a network whose tensors have the same names and shapes.

    Args:
        network: is changed in place.
        weights: tensors by name, as in ``network.state_dict()``.

    Raises:
        ValueError: a name or a shape differs. The message names the first one in sorted order.
    """
    own = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    for name in sorted(own.keys() | given.keys()):
        if own.get(name) != given.get(name):
            raise ValueError(
                f"weights have {name} {given.get(name, 'missing')}, the network has it "
                f"{own.get(name, 'missing')}; build it for the same game, actions and layers"
            )
    network.load_state_dict(weights)
