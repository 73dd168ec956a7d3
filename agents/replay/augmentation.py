"""Augmentation: the same states, seen a little differently each time."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.rng import generator_state, set_generator_state


class RandomShift:
    """Moves each state by up to some pixels, up or down and left or right.

    What comes in at an edge is the edge again; all frames of a state move alike. Yarats et al. 2020
    (DrQ), https://arxiv.org/abs/2004.13649, where it is up to 4 pixels of 84.

    Args:
        pixels: the longest way in either direction.
        seed: seeds the draws.

    Raises:
        ValueError: that is no way at all.
    """

    def __init__(self, pixels: int, seed: int = 0) -> None:
        if pixels < 1:
            raise ValueError(f"pixels is {pixels}; give 1 or more")
        self._pixels = pixels
        # others have generators of the same seed: these draws are not to go along with theirs
        self._generator = np.random.default_rng((seed, *b"shift"))

    def __call__(self, states: Tensor) -> Tensor:
        """A copy of states, uint8 ``(batch, stack, height, width)``, each moved at random."""
        far = self._pixels
        return shift(states, self._generator.integers(-far, far + 1, (len(states), 2)), far)

    def state_dict(self) -> dict[str, Any]:
        """Where its generator stands."""
        return {"generator": generator_state(self._generator)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where `state_dict` was taken."""
        set_generator_state(self._generator, state["generator"])


def shift(states: Tensor, ways: NDArray[np.int64], far: int) -> Tensor:
    """Move each state: its pixel ``(y, x)`` becomes the one that was at ``(y, x)`` plus its way.

    Args:
        states: ``(batch, stack, height, width)``.
        ways: down and right, int64 ``(batch, 2)``, each from ``-far`` to ``far``.
        far: 1 or more.

    Returns:
        A copy; what would be from beyond an edge is the nearest pixel there is.

    >>> frame = torch.tensor([[[[1, 2], [3, 4]]]])
    >>> shift(frame, np.array([[1, 0]]), far=1).tolist()
    [[[[3, 4], [3, 4]]]]
    """
    height, width = states.shape[2:]
    windows = _pad(states, far).unfold(2, height, 1).unfold(3, width, 1)
    rows, (down, right) = np.arange(len(ways)), ways.T + far
    if states.device.type == "cpu":
        # NumPy copies a row of pixels at a time, where torch copies each pixel
        return torch.from_numpy(windows.numpy()[rows, :, down, right])
    row, y, x = (torch.from_numpy(each).to(states.device) for each in (rows, down, right))
    return windows[row, :, y, x]


def _pad(states: Tensor, far: int) -> Tensor:
    *batch, height, width = states.shape
    padded = states.new_empty((*batch, height + 2 * far, width + 2 * far))
    padded[..., far:-far, far:-far] = states
    padded[..., far:-far, :far] = states[..., :1]
    padded[..., far:-far, -far:] = states[..., -1:]
    padded[..., :far, :] = padded[..., far : far + 1, :]
    padded[..., -far:, :] = padded[..., -far - 1 : -far, :]
    return padded
