"""Networks: what turns a stack of frames into the value of each action."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from agents.networks.heads import DuelingHead, Head
from agents.networks.pixel_conv import PixelConv2d


class NatureCNN(nn.Sequential):
    """The convolutions of the DQN of Nature, from bytes of frames to a flat vector of features.

    32 filters of 8x8 every 4 pixels, 64 of 4x4 every 2 and 64 of 3x3, each followed by a ReLU.
    Mnih et al. 2015, https://www.nature.com/articles/nature14236, "Model architecture".

    Args:
        state_shape: ``(channels, height, width)`` of what comes in.

    Attributes:
        num_features: length of the vector that comes out.
        state_shape: of what comes in.

    Raises:
        ValueError: the filters do not fit on an image that small.
    """

    def __init__(self, state_shape: tuple[int, ...]) -> None:
        if len(state_shape) != 3 or min(state_shape[1:]) < 36:
            raise ValueError(
                f"state_shape is {state_shape}; give (channels, height, width) of 36 pixels or more"
            )
        super().__init__(
            PixelConv2d(state_shape[0], 32),
            nn.ReLU(inplace=True),
            nn.Conv2d(32, 64, kernel_size=4, stride=2),
            nn.ReLU(inplace=True),
            nn.Conv2d(64, 64, kernel_size=3, stride=1),
            nn.ReLU(inplace=True),
            nn.Flatten(),
        )
        self.state_shape = state_shape
        height, width = (((side - 4) // 4 - 2) // 2 - 2 for side in state_shape[1:])
        self.num_features = 64 * height * width


class QNetwork(nn.Module):
    """Values of actions, online and as of the last `sync_target`.

    One set of features serves two heads, so that the next states of a batch are looked at once.
    With ``separate_target`` the target has features of its own, as the tutorial's code has it.

    Args:
        state_shape: ``(channels, height, width)``, at least 36 pixels high and wide.
        num_actions: how many actions there are.
        hidden: width of the layer between the features and the values.
        separate_target: whether the target has its own copy of the features.
        dueling: whether values are made of the value of a state and advantages of actions.

    The values that come out are float32, whatever numbers it computes with.
    """

    def __init__(
        self,
        state_shape: tuple[int, ...],
        num_actions: int,
        hidden: int = 512,
        separate_target: bool = False,
        dueling: bool = False,
    ) -> None:
        super().__init__()
        self.features = NatureCNN(state_shape)
        kind = DuelingHead if dueling else Head
        self.online_head = kind(self.features.num_features, hidden, num_actions)
        self.target_head = copy.deepcopy(self.online_head).requires_grad_(False)
        self.target_features: NatureCNN | None = None
        if separate_target:
            self.target_features = copy.deepcopy(self.features).requires_grad_(False)

    def online(self, states: Tensor) -> Tensor:
        """Values now, ``(batch, num_actions)``, of states uint8 ``(batch, *state_shape)``."""
        values: Tensor = self.online_head(self.features(states))
        return values.float()

    def target(self, states: Tensor) -> Tensor:
        """Values as of the last sync, ``(batch, num_actions)``; no gradient reaches the head."""
        values: Tensor = self.target_head((self.target_features or self.features)(states))
        return values.float()

    def across(
        self, states: Tensor, next_states: Tensor, double: bool = True
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Values on both sides of steps, all that an update needs, with nothing computed twice.

        Args:
            states: before the steps, uint8 ``(batch, *state_shape)``.
            next_states: after them.
            double: whether `online` is to choose among the next actions, else `target` itself does.

        Returns:
            `online` of the states; then, without a gradient, of the next states, what chooses the
            action and what values it, which is `target`.
        """
        values = self.online(states)
        with torch.no_grad():
            if not double:
                alone = self.target(next_states)
                return values, alone, alone
            features = self.features(next_states)
            theirs = self.target_features(next_states) if self.target_features else features
            after, target = self.online_head(features), self.target_head(theirs)
        return values, after.float(), target.float()

    def forward(self, states: Tensor) -> Tensor:
        """The same as `online`."""
        return self.online(states)

    def sync_target(self) -> None:
        """Make the target what the online network is now."""
        self.target_head.load_state_dict(self.online_head.state_dict())
        if self.target_features is not None:
            self.target_features.load_state_dict(self.features.state_dict())


def without_target(weights: Mapping[str, Any]) -> dict[str, Any]:
    """The tensors of a `QNetwork` that its values now are computed with."""
    return {name: tensor for name, tensor in weights.items() if not name.startswith("target_")}


def with_target(weights: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Tensors of a `QNetwork` with the target as of a sync, where they have none.

    Args:
        weights: what `without_target` left, or all of them.
        names: of all tensors.

    >>> with_target({"online_head.0.bias": 7}, ["online_head.0.bias", "target_head.0.bias"])
    {'target_head.0.bias': 7, 'online_head.0.bias': 7}
    """
    targets = {"target_head.": "online_head.", "target_features.": "features."}
    filled = {
        name: weights[compute_copy]
        for name in names
        for prefix, source in targets.items()
        if (compute_copy := name.replace(prefix, source, 1)) != name and compute_copy in weights
    }
    return filled | dict(weights)


def load_parameters(network: nn.Module, weights: dict[str, Any]) -> None:
    """Copy tensors into a network that has tensors of the same names and shapes.

    Raises:
        ValueError: it has not; the first that differs is named.
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
