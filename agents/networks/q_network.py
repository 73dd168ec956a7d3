"""The Q-network of DQN, with its target network."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from agents.networks.heads import DuelingHead, Head
from agents.networks.nature_cnn import NatureCNN


class QNetwork(nn.Module):
    """Computes online and target Q values of stacked frames.

    By default the online and the target head share one set of features, so that the features of
    the next states are computed once per update. With ``separate_target`` the target network has
    its own copy of the features, as in the PyTorch tutorial.

    Q values are float32, whatever dtype the network computes in.

    Args:
        state_shape: ``(channels, height, width)``, at least 36 pixels high and wide.
        num_actions: number of actions.
        hidden_size: width of the hidden layer between the features and the Q values.
        separate_target: whether the target network has its own features.
        dueling: whether Q values are the sum of a state value and advantages.
    """

    dtype_agnostic = True
    """The inputs are uint8 and the outputs float32, whatever the dtype of the parameters."""

    def __init__(
        self,
        state_shape: tuple[int, ...],
        num_actions: int,
        hidden_size: int = 512,
        separate_target: bool = False,
        dueling: bool = False,
    ) -> None:
        super().__init__()
        self.features = NatureCNN(state_shape)
        head_class = DuelingHead if dueling else Head
        self.online_head = head_class(self.features.num_features, hidden_size, num_actions)
        self.target_head = copy.deepcopy(self.online_head).requires_grad_(False)
        self.target_features: NatureCNN | None = None
        if separate_target:
            self.target_features = copy.deepcopy(self.features).requires_grad_(False)

    def online(self, states: Tensor) -> Tensor:
        """Return the online Q values, ``(batch, num_actions)``.

        Args:
            states: uint8 ``(batch, *state_shape)``.
        """
        values: Tensor = self.online_head(self.features(states))
        return values.float()

    def target(self, states: Tensor) -> Tensor:
        """Return the target Q values, ``(batch, num_actions)``; the head requires no gradient.

        Args:
            states: uint8 ``(batch, *state_shape)``.
        """
        values: Tensor = self.target_head((self.target_features or self.features)(states))
        return values.float()

    def transition_values(
        self, states: Tensor, next_states: Tensor, double: bool = True
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return all Q values that an update needs, without computing features twice.

        Args:
            states: uint8 ``(batch, *state_shape)``.
            next_states: states that the target bootstraps from, of the same shape.
            double: whether the online network selects the next action (Double DQN); otherwise the
                target network selects it.

        Returns:
            Three tensors ``(batch, num_actions)``: the online values of ``states``; and, without a
            gradient, the values of ``next_states`` that select the next action and the target
            values that evaluate it.
        """
        q_values = self.online(states)
        with torch.no_grad():
            if not double:
                next_values = self.target(next_states)
                return q_values, next_values, next_values
            features = self.features(next_states)
            target_features = (
                self.target_features(next_states) if self.target_features else features
            )
            q_online_next = self.online_head(features)
            q_target_next = self.target_head(target_features)
        return q_values, q_online_next.float(), q_target_next.float()

    def forward(self, states: Tensor) -> Tensor:
        """Return the same as `online`."""
        return self.online(states)

    def sync_target(self) -> None:
        """Copy the online parameters to the target network."""
        self.target_head.load_state_dict(self.online_head.state_dict())
        if self.target_features is not None:
            self.target_features.load_state_dict(self.features.state_dict())


def without_target(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tensors of a `QNetwork` that the online Q values depend on."""
    return {name: tensor for name, tensor in weights.items() if not name.startswith("target_")}


def with_target(weights: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return tensors of a `QNetwork` in which missing target tensors equal the online ones.

    Args:
        weights: all tensors, or those that `without_target` kept.
        names: names of all tensors of the network.

    >>> with_target({"online_head.0.bias": 7}, ["online_head.0.bias", "target_head.0.bias"])
    {'target_head.0.bias': 7, 'online_head.0.bias': 7}
    """
    online_prefixes = {"target_head.": "online_head.", "target_features.": "features."}
    filled = {
        name: weights[online_name]
        for name in names
        for prefix, online_prefix in online_prefixes.items()
        if (online_name := name.replace(prefix, online_prefix, 1)) != name
        and online_name in weights
    }
    return filled | dict(weights)
