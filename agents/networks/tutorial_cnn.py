"""Converts networks saved by the PyTorch tutorial "Train a Mario-playing RL Agent".

https://pytorch.org/tutorials/intermediate/mario_rl_tutorial.html saves two complete networks,
"online" and "target", as numbered layers: convolutions 0, 2, 4 and linear layers 7, 9.
"""

from __future__ import annotations

from typing import Any

from agents.networks.q_network import QNetwork
from agents.stateful import load_parameters

STATE_SIDE = 84
"""Height and width of the tutorial's states. The weights alone do not determine it."""

_NAMES = {
    f"{network}.{tutorial_layer}.{kind}": f"{module}.{layer}.{kind}"
    for network, features, head in (
        ("online", "features", "online_head"),
        ("target", "target_features", "target_head"),
    )
    for tutorial_layer, module, layer in (
        (0, features, 0),
        (2, features, 2),
        (4, features, 4),
        (7, head, 0),
        (9, head, 2),
    )
    for kind in ("weight", "bias")
}


def is_tutorial(weights: dict[str, Any]) -> bool:
    """Return whether the tensors have the tutorial's names."""
    return weights.keys() == _NAMES.keys()


def translate(weights: dict[str, Any]) -> dict[str, Any]:
    """Return the tensors under the names of a `QNetwork` with a separate target.

    Raises:
        ValueError: the tensors do not have the tutorial's names.
    """
    if not is_tutorial(weights):
        odd = sorted(weights.keys() ^ _NAMES.keys())
        raise ValueError(
            f"weights differ in {odd[0]!r} and {len(odd) - 1} more names from the tutorial's; "
            "give a file that its code saved"
        )
    return {_NAMES[name]: tensor for name, tensor in weights.items()}


def from_tutorial(weights: dict[str, Any]) -> QNetwork:
    """Build a `QNetwork` that computes the same Q values as the tutorial's network.

    The numbers of frames and actions follow from the shapes of the first and the last layer.

    Args:
        weights: tensors by name, ``"online.0.weight"`` to ``"target.9.bias"``.

    Raises:
        ValueError: names or shapes are not those of the tutorial's network.
    """
    translated = translate(weights)
    first, middle, last = (
        tuple(translated[name].shape)
        for name in ("features.0.weight", "online_head.0.weight", "online_head.2.weight")
    )
    if (len(first), len(middle), len(last)) != (4, 2, 2):
        raise ValueError(
            f"weights of layers 0, 7, 9 have the shapes {first}, {middle}, {last}; "
            "give a file that the tutorial's code saved"
        )
    network = QNetwork(
        (first[1], STATE_SIDE, STATE_SIDE), last[0], hidden_size=middle[0], separate_target=True
    )
    load_parameters(network, translated)
    return network
