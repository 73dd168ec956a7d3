"""The first convolution of a network, which takes uint8 pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

BLOCK = 4
"""Side in pixels of a block: the stride of the filters, and half their kernel size."""


class PixelConv2d(nn.Conv2d):
    """A convolution of 8x8 filters with stride 4 over uint8 pixels scaled to [0, 1].

    It is computed as a convolution of 2x2 filters with stride 1 over blocks of 4x4 pixels, in which
    the 16 pixels of a block are channels (space-to-depth). The sums are the same, and this shape is
    the fastest one on CPUs and GPUs. Parameters have the names and shapes of
    ``Conv2d(channels, filters, kernel_size=8, stride=4)``.

    Args:
        channels: number of input channels.
        filters: number of output channels.
    """

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__(channels, filters, kernel_size=2 * BLOCK, stride=BLOCK)

    def forward(self, states: Tensor) -> Tensor:
        """Convolve states.

        Args:
            states: uint8 ``(batch, channels, height, width)``.

        Returns:
            ``(batch, filters, height // 4 - 1, width // 4 - 1)``.
        """
        # bfloat16 represents uint8 exactly, and scaling the weights is cheaper than scaling pixels.
        blocks = _space_to_depth(states).to(self.weight.dtype)
        return conv2d(blocks, _block_filters(self.weight / 255), self.bias)


def _space_to_depth(states: Tensor) -> Tensor:
    """Rearrange pixels to ``(batch, channels * 16, height // 4, width // 4)``.

    Pixels beyond the last whole block are dropped: no filter covers them.
    """
    batch, channels = states.shape[:2]
    height, width = (side // BLOCK for side in states.shape[2:])
    cropped = states[..., : height * BLOCK, : width * BLOCK]
    if states.shape[3] % BLOCK:
        cropped = cropped.contiguous()
    # Moving the four bytes of a block's row as one int32 takes a quarter of the time.
    rows = cropped.view(torch.int32).view(batch, channels, height, BLOCK, width)
    blocks = rows.permute(0, 2, 4, 1, 3).contiguous().view(torch.uint8)
    return blocks.view(batch, height, width, -1).permute(0, 3, 1, 2)


def _block_filters(weight: Tensor) -> Tensor:
    """Rearrange filters ``(filters, channels, 8, 8)`` to 2x2 filters over `_space_to_depth`."""
    filters, channels = weight.shape[:2]
    parts = weight.reshape(filters, channels, 2, BLOCK, 2, BLOCK)
    return parts.permute(0, 1, 3, 5, 2, 4).reshape(filters, -1, 2, 2)
