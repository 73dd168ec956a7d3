from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.networks.pixel_conv import PixelConv2d


def plain(layer: PixelConv2d, states: torch.Tensor) -> torch.Tensor:
    """What an ordinary convolution with the same weights gives for scaled pixels."""
    return torch.nn.functional.conv2d(states.double() / 255, layer.weight.double(), stride=4)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 5), st.integers(8, 31), st.integers(8, 31), st.integers(1, 3))
def test_it_is_the_convolution_whatever_the_picture_measures(channels, height, width, batch):
    layer = PixelConv2d(channels, filters=6)
    layer.bias.data.zero_()
    states = torch.randint(0, 256, (batch, channels, height, width), dtype=torch.uint8)
    torch.testing.assert_close(layer(states), plain(layer, states).float(), rtol=1e-4, atol=1e-5)


def test_its_gradient_is_the_convolutions():
    layer = PixelConv2d(4, filters=32)
    states = torch.randint(0, 256, (3, 4, 84, 84), dtype=torch.uint8)
    ours, theirs = (
        torch.autograd.grad(output.square().sum(), layer.weight)[0]
        for output in (layer(states) - layer.bias[:, None, None], plain(layer, states))
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_part_of_a_stack_is_seen_where_it_lies():
    layer = PixelConv2d(4, filters=2)
    frames = torch.randint(0, 256, (3, 7, 36, 40), dtype=torch.uint8)
    part = frames[:, 3:]
    assert not part.is_contiguous()
    assert torch.equal(layer(part), layer(part.contiguous()))


def test_it_is_saved_as_an_ordinary_convolution():
    ordinary = torch.nn.Conv2d(4, 32, kernel_size=8, stride=4)
    ours = PixelConv2d(4, filters=32)
    ours.load_state_dict(ordinary.state_dict())
    assert repr(ours).removeprefix("Pixel") == repr(ordinary)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_computes_in_the_numbers_of_its_weights(dtype):
    layer = PixelConv2d(1, filters=2).to(dtype)
    states = torch.randint(0, 256, (1, 1, 8, 8), dtype=torch.uint8)
    assert layer(states).dtype is dtype
