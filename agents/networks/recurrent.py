"""Cores of a policy: a feedforward core without state, and an LSTM."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Feedforward(nn.Module):
    """A core without recurrent state, which returns the features unchanged.

    Args:
        input_size: number of features.

    Attributes:
        output_size: number of features that come out.
        state_size: size of the recurrent state of one environment: 0.
    """

    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.output_size = input_size
        self.state_size = 0

    def forward(
        self, features: Tensor, recurrent_state: Tensor, episode_starts: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return ``features`` and ``recurrent_state`` unchanged."""
        del episode_starts
        return features, recurrent_state


class LSTM(nn.Module):
    """A long short-term memory that is reset at episode starts, as in OpenAI Baselines.

    Hochreiter & Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735, with a forget gate.
    ``layer_norm`` normalizes the input, the recurrent input and the cell state: Ba et al. 2016,
    https://arxiv.org/abs/1607.06450, equations 20 to 22.

    Args:
        input_size: number of features.
        hidden_size: number of cells.
        layer_norm: whether to apply layer normalization.

    Attributes:
        output_size: number of features that come out.
        state_size: size of the recurrent state of one environment: cell state, then output.
    """

    def __init__(self, input_size: int, hidden_size: int, layer_norm: bool) -> None:
        super().__init__()
        self.output_size = hidden_size
        self.state_size = 2 * hidden_size
        self.incoming = nn.Linear(input_size, 4 * hidden_size, bias=False)
        self.returning = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))
        norm = nn.LayerNorm if layer_norm else nn.Identity
        self.norm_incoming, self.norm_returning = norm(4 * hidden_size), norm(4 * hidden_size)
        self.norm_cells = norm(hidden_size)

    def forward(
        self, features: Tensor, recurrent_state: Tensor, episode_starts: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Process sequences of steps.

        Args:
            features: ``(sequences, time, input_size)``.
            recurrent_state: state before the first step of each sequence,
                ``(sequences, state_size)``.
            episode_starts: True at the first step of an episode, where the state is reset to 0,
                bool ``(sequences, time)``.

        Returns:
            Features ``(sequences, time, output_size)``, and the recurrent state after the last
            step, ``(sequences, state_size)``.
        """
        incoming = self.norm_incoming(self.incoming(features)) + self.bias
        keep_state = (~episode_starts).unsqueeze(2).to(features.dtype)
        cells, output = recurrent_state.chunk(2, dim=1)
        outputs = []
        for step in range(features.shape[1]):
            cells, output = cells * keep_state[:, step], output * keep_state[:, step]
            gates = incoming[:, step] + self.norm_returning(self.returning(output))
            input_gate, forget_gate, output_gate, candidate = gates.chunk(4, dim=1)
            cells = forget_gate.sigmoid() * cells + input_gate.sigmoid() * candidate.tanh()
            output = output_gate.sigmoid() * self.norm_cells(cells).tanh()
            outputs.append(output)
        return torch.stack(outputs, dim=1), torch.cat((cells, output), dim=1)
