"""The convolution that looks at pixels: the largest of a network, and it gets bytes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

BLOCK = 4
"""Side of the blocks of pixels that the filters step by; they are two blocks high and wide."""


class PixelConv2d(nn.Conv2d):
    """Filters of 8x8 pixels every 4, of bytes that are first scaled to the unit interval.

    They are computed as filters of 2x2 blocks, the 16 pixels of a block being so many channels: the
    same sums, in the shape that processors are fastest with. Its weights are those of a
    ``Conv2d(channels, filters, kernel_size=8, stride=4)``.

    Args:
        channels: of the pictures.
        filters: how many there are.
    """

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__(channels, filters, kernel_size=2 * BLOCK, stride=BLOCK)

    def forward(self, states: Tensor) -> Tensor:
        """Look at states, uint8 ``(batch, channels, height, width)``.

        Returns:
            ``(batch, filters, height // 4 - 1, width // 4 - 1)``.
        """
        # bytes are exact in bfloat16 too, and there are fewer weights to be scaled than pixels
        blocks = _blocks(states).to(self.weight.dtype)
        return conv2d(blocks, _over_blocks(self.weight / 255), self.bias)


def _blocks(states: Tensor) -> Tensor:
    """Pictures by blocks of 4x4 pixels: ``(batch, channels * 16, height // 4, width // 4)``.

    Pixels beyond the last whole block are left out, as no filter reaches them.
    """
    batch, channels = states.shape[:2]
    height, width = (side // BLOCK for side in states.shape[2:])
    whole = states[..., : height * BLOCK, : width * BLOCK]
    if states.shape[3] % BLOCK:
        whole = whole.contiguous()
    # the four bytes of a block's row are moved as one number, in a quarter of the time
    rows = whole.view(torch.int32).view(batch, channels, height, BLOCK, width)
    blocks = rows.permute(0, 2, 4, 1, 3).contiguous().view(torch.uint8)
    return blocks.view(batch, height, width, -1).permute(0, 3, 1, 2)


def _over_blocks(weight: Tensor) -> Tensor:
    """Filters of 8x8 pixels, ``(filters, channels, 8, 8)``, as filters of 2x2 `_blocks`."""
    filters, channels = weight.shape[:2]
    parts = weight.reshape(filters, channels, 2, BLOCK, 2, BLOCK)
    return parts.permute(0, 1, 3, 5, 2, 4).reshape(filters, -1, 2, 2)
