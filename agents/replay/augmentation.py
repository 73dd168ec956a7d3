"""Random shifts of observations, an augmentation of training batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.rng import generator_state, set_generator_state


class RandomShift:
    """Shifts each state by a random number of pixels, vertically and horizontally.

    Pixels beyond an edge repeat the edge, and all frames of a state shift together. Yarats et al.
    2020 (DrQ), https://arxiv.org/abs/2004.13649, shift 84x84 images by up to 4 pixels.

    Args:
        max_shift: maximum shift in each direction, in pixels.
        seed: seed of the random generator.

    Raises:
        ValueError: ``max_shift`` is less than 1.
    """

    def __init__(self, max_shift: int, seed: int = 0) -> None:
        if max_shift < 1:
            raise ValueError(f"max_shift is {max_shift}; give 1 or more")
        self._max_shift = max_shift
        # other parts of an agent have the same seed and must not draw the same numbers
        self._generator = np.random.default_rng((seed, *b"shift"))

    def __call__(self, states: Tensor) -> Tensor:
        """Return a shifted copy of ``states``, uint8 ``(batch, stack, height, width)``."""
        largest = self._max_shift
        offsets = self._generator.integers(-largest, largest + 1, (len(states), 2))
        return shift(states, offsets, largest)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the random generator."""
        return {"generator": generator_state(self._generator)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        set_generator_state(self._generator, state["generator"])


def shift(states: Tensor, offsets: NDArray[np.int64], max_shift: int) -> Tensor:
    """Shift states: pixel ``(y, x)`` of a result is pixel ``(y, x) + offset`` of the state.

    Args:
        states: ``(batch, stack, height, width)``.
        offsets: rows and columns, int64 ``(batch, 2)``, each from ``-max_shift`` to ``max_shift``.
        max_shift: maximum absolute offset, at least 1.

    Returns:
        A copy. Pixels beyond an edge are copies of the nearest pixel.

    >>> frame = torch.tensor([[[[1, 2], [3, 4]]]])
    >>> shift(frame, np.array([[1, 0]]), max_shift=1).tolist()
    [[[[3, 4], [3, 4]]]]
    """
    height, width = states.shape[2:]
    windows = _pad(states, max_shift).unfold(2, height, 1).unfold(3, width, 1)
    batch, (y, x) = np.arange(len(offsets)), offsets.T + max_shift
    if states.device.type == "cpu":
        # NumPy copies whole rows of pixels, torch copies pixel by pixel
        return torch.from_numpy(windows.numpy()[batch, :, y, x])
    index, top, left = (torch.from_numpy(part).to(states.device) for part in (batch, y, x))
    return windows[index, :, top, left]


def _pad(states: Tensor, margin: int) -> Tensor:
    *batch, height, width = states.shape
    padded = states.new_empty((*batch, height + 2 * margin, width + 2 * margin))
    padded[..., margin:-margin, margin:-margin] = states
    padded[..., margin:-margin, :margin] = states[..., :1]
    padded[..., margin:-margin, -margin:] = states[..., -1:]
    padded[..., :margin, :] = padded[..., margin : margin + 1, :]
    padded[..., -margin:, :] = padded[..., -margin - 1 : -margin, :]
    return padded
