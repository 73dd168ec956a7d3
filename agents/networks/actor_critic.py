"""The actor-critic network of PPO, feedforward or recurrent."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from torch import Tensor, nn

from agents.networks.nature_cnn import NatureCNN
from agents.networks.recurrent import LSTM, Feedforward

PolicyKind = Literal["cnn", "lstm", "lnlstm"]


class PolicyOutput(NamedTuple):
    """The output of a policy for sequences of states.

    Attributes:
        log_probs: log-probabilities of the actions, float32 ``(sequences, time, actions)``.
        values: estimated discounted returns, float32 ``(sequences, time)``.
        recurrent_state: state after the last step, ``(sequences, state_size)``.
    """

    log_probs: Tensor
    values: Tensor
    recurrent_state: Tensor


class ActorCritic(nn.Module):
    """A policy and a value function on shared features.

    The network of ``ppo2`` in OpenAI Baselines: the convolutions of the Nature DQN, a hidden layer,
    an optional LSTM, and one linear layer each for the policy and the value. Weights are
    initialized orthogonally. Those of the policy layer are small, so that all actions are almost
    equally likely before training.

    Args:
        state_shape: ``(channels, height, width)``, at least 36 pixels high and wide.
        num_actions: number of actions.
        kind: ``"cnn"`` for a feedforward policy, ``"lstm"`` for a recurrent one, ``"lnlstm"`` for
            a recurrent one with layer normalization.
        hidden_size: width of the layer after the convolutions.
        lstm_size: number of LSTM cells.

    Attributes:
        body: maps states uint8 ``(batch, *state_shape)`` to features ``(batch, hidden_size)``. It
            may compute in a different dtype from the rest, see
            `agents.compute.precision.ComputeCopy`.
        state_size: size of the recurrent state of one environment.
    """

    def __init__(
        self,
        state_shape: tuple[int, ...],
        num_actions: int,
        kind: PolicyKind = "cnn",
        hidden_size: int = 512,
        lstm_size: int = 256,
    ) -> None:
        super().__init__()
        convolutions = NatureCNN(state_shape)
        hidden = nn.Linear(convolutions.num_features, hidden_size)
        self.body = nn.Sequential(convolutions, hidden, nn.ReLU())
        self.core = (
            Feedforward(hidden_size)
            if kind == "cnn"
            else LSTM(hidden_size, lstm_size, layer_norm=kind == "lnlstm")
        )
        self.actor = nn.Linear(self.core.output_size, num_actions)
        self.critic = nn.Linear(self.core.output_size, 1)
        self.state_size = self.core.state_size
        self.body.apply(lambda module: _init_orthogonal(module, math.sqrt(2)))
        self.core.apply(lambda module: _init_orthogonal(module, 1.0))
        _init_orthogonal(self.actor, 0.01)
        _init_orthogonal(self.critic, 1.0)

    def forward(
        self, features: Tensor, recurrent_state: Tensor, episode_starts: Tensor
    ) -> PolicyOutput:
        """Compute the policy and the values from the features of ``body``.

        Args:
            features: float32 ``(sequences, time, hidden_size)``.
            recurrent_state: state before the first step of each sequence,
                ``(sequences, state_size)``; 0 at the start of an episode.
            episode_starts: True at the first step of an episode, bool ``(sequences, time)``.
        """
        outputs, recurrent_state = self.core(features, recurrent_state, episode_starts)
        log_probs = self.actor(outputs).log_softmax(dim=2)
        return PolicyOutput(log_probs, self.critic(outputs).squeeze(2), recurrent_state)


def _init_orthogonal(module: nn.Module, gain: float) -> None:
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.orthogonal_(module.weight, gain)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
