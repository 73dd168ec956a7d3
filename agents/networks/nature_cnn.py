"""The convolutional layers of the Nature DQN."""

from __future__ import annotations

from torch import nn

from agents.networks.pixel_conv import PixelConv2d

MIN_SIDE = 36
"""Minimum height and width of an image in pixels for the three convolutions."""


class NatureCNN(nn.Sequential):
    """Maps stacked uint8 frames to a flat feature vector.

    Three convolutions, each followed by a ReLU: 32 filters of 8x8 with stride 4, 64 of 4x4 with
    stride 2, 64 of 3x3 with stride 1. Mnih et al. 2015,
    https://www.nature.com/articles/nature14236, "Model architecture".

    Args:
        state_shape: ``(channels, height, width)``, at least 36 pixels high and wide.

    Attributes:
        num_features: length of the feature vector.
        state_shape: the given shape.

    Raises:
        ValueError: the shape is not three-dimensional, or the image is too small.
    """

    dtype_agnostic = True
    """The inputs are uint8 states, whatever the dtype of the parameters."""

    def __init__(self, state_shape: tuple[int, ...]) -> None:
        if len(state_shape) != 3 or min(state_shape[1:]) < MIN_SIDE:
            raise ValueError(
                f"state_shape is {state_shape}; "
                f"give (channels, height, width) of {MIN_SIDE} pixels or more"
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
