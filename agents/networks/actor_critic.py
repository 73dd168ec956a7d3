"""Policies: what turns stacks of frames into probabilities of actions and the value of where one is."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from torch import Tensor, nn

from agents.networks.q_network import NatureCNN
from agents.networks.recurrent import LSTM, Feedforward

PolicyKind = Literal["cnn", "lstm", "lnlstm"]


class PolicyOutput(NamedTuple):
    """What a policy makes of sequences of states.

    Attributes:
        log_probs: logarithms of the actions' probabilities, float32 ``(sequences, time, actions)``.
        values: what is to be expected, discounted, float32 ``(sequences, time)``.
        recurrent_state: what each sequence leaves to the step after it, ``(sequences, state_size)``.
    """

    log_probs: Tensor
    values: Tensor
    recurrent_state: Tensor


class ActorCritic(nn.Module):
    """A policy and its estimate of values, on the same features.

    The network of OpenAI's baselines, ``ppo2``: the convolutions of Nature, a layer of 512, with
    ``lstm`` or ``lnlstm`` cells that remember, and two linear layers. Weights begin orthogonal,
    those of the actor so small that all actions begin with nearly the same chance.

    Args:
        state_shape: ``(channels, height, width)``, at least 36 pixels high and wide.
        num_actions: how many actions there are.
        kind: ``"cnn"``, or ``"lstm"`` or ``"lnlstm"`` for one that remembers.
        hidden: width of the layer after the convolutions.
        cells: how many cells remember.

    Attributes:
        body: from states uint8 ``(batch, *state_shape)`` to features ``(batch, hidden)``. It may
            be computed in other numbers than the rest, see `agents.compute.precision.ComputeCopy`.
        state_size: length of what is recurrent_state from step to step for each game.
    """

    def __init__(
        self,
        state_shape: tuple[int, ...],
        num_actions: int,
        kind: PolicyKind = "cnn",
        hidden: int = 512,
        cells: int = 256,
    ) -> None:
        super().__init__()
        convolutions = NatureCNN(state_shape)
        layer = nn.Linear(convolutions.num_features, hidden)
        self.body = nn.Sequential(convolutions, layer, nn.ReLU())
        self.core = (
            Feedforward(hidden)
            if kind == "cnn"
            else LSTM(hidden, cells, normalized=kind == "lnlstm")
        )
        self.actor = nn.Linear(self.core.outputs, num_actions)
        self.critic = nn.Linear(self.core.outputs, 1)
        self.state_size = self.core.state_size
        self.body.apply(lambda module: _orthogonal(module, math.sqrt(2)))
        self.core.apply(lambda module: _orthogonal(module, 1.0))
        _orthogonal(self.actor, 0.01)
        _orthogonal(self.critic, 1.0)

    def forward(self, features: Tensor, recurrent_state: Tensor, begins: Tensor) -> PolicyOutput:
        """Look at what the body made of sequences of states.

        Args:
            features: float32 ``(sequences, time, hidden)``.
            recurrent_state: from the step before each sequence, ``(sequences, state_size)``, 0 at the
                beginning of an episode.
            begins: whether an episode begins with a step, bool ``(sequences, time)``.
        """
        remembered, recurrent_state = self.core(features, recurrent_state, begins)
        log_probs = self.actor(remembered).log_softmax(dim=2)
        return PolicyOutput(log_probs, self.critic(remembered).squeeze(2), recurrent_state)


def _orthogonal(module: nn.Module, gain: float) -> None:
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.orthogonal_(module.weight, gain)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
