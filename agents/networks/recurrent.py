"""What a policy carries from step to step: nothing, or the state of an LSTM."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Feedforward(nn.Module):
    """Carries nothing: features pass as they are.

    Args:
        inputs: how many features there are.

    Attributes:
        outputs: how many features come out.
        state_size: length of what is recurrent_state for each game.
    """

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.outputs = inputs
        self.state_size = 0

    def forward(
        self, features: Tensor, recurrent_state: Tensor, begins: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Give back what came."""
        del begins
        return features, recurrent_state


class LSTM(nn.Module):
    """Long short-term memory that begins anew with every episode, as OpenAI's baselines have it.

    Hochreiter & Schmidhuber 1997, with a forget gate; ``normalized`` applies layer normalisation
    to what comes in, to what comes back and to the cells: Ba et al. 2016,
    https://arxiv.org/abs/1607.06450, equations 20 to 22.

    Args:
        inputs: how many features there are.
        cells: how many cells remember.
        normalized: whether the layers are normalised.

    Attributes:
        outputs: how many features come out.
        state_size: length of what is recurrent_state for each game: the cells, then their outputs.
    """

    def __init__(self, inputs: int, cells: int, normalized: bool) -> None:
        super().__init__()
        self.outputs = cells
        self.state_size = 2 * cells
        self.incoming = nn.Linear(inputs, 4 * cells, bias=False)
        self.returning = nn.Linear(cells, 4 * cells, bias=False)
        self.bias = nn.Parameter(torch.zeros(4 * cells))
        norm = nn.LayerNorm if normalized else nn.Identity
        self.norm_incoming, self.norm_returning = norm(4 * cells), norm(4 * cells)
        self.norm_cells = norm(cells)

    def forward(
        self, features: Tensor, recurrent_state: Tensor, begins: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Go through sequences of steps.

        Args:
            features: ``(sequences, time, inputs)``.
            recurrent_state: from the step before each sequence, ``(sequences, state_size)``.
            begins: whether an episode begins with a step, so that what is recurrent_state into it is
                forgotten, bool ``(sequences, time)``.

        Returns:
            Features ``(sequences, time, outputs)``, and what the last step of each leaves to carry.
        """
        incoming = self.norm_incoming(self.incoming(features)) + self.bias
        kept = (~begins).unsqueeze(2).to(features.dtype)
        cells, output = recurrent_state.chunk(2, dim=1)
        outputs = []
        for step in range(features.shape[1]):
            cells, output = cells * kept[:, step], output * kept[:, step]
            gates = incoming[:, step] + self.norm_returning(self.returning(output))
            write, keep, show, new = gates.chunk(4, dim=1)
            cells = keep.sigmoid() * cells + write.sigmoid() * new.tanh()
            output = show.sigmoid() * self.norm_cells(cells).tanh()
            outputs.append(output)
        return torch.stack(outputs, dim=1), torch.cat((cells, output), dim=1)
