from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.networks.pixel_conv import PixelConv2d


def reference(layer: PixelConv2d, states: torch.Tensor) -> torch.Tensor:
    """Return an ordinary convolution of scaled pixels with the same weights, without bias."""
    return torch.nn.functional.conv2d(states.double() / 255, layer.weight.double(), stride=4)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 5), st.integers(8, 31), st.integers(8, 31), st.integers(1, 3))
def test_it_equals_an_ordinary_convolution_for_any_image_size(channels, height, width, batch):
    layer = PixelConv2d(channels, filters=6)
    layer.bias.data.zero_()
    states = torch.randint(0, 256, (batch, channels, height, width), dtype=torch.uint8)
    torch.testing.assert_close(
        layer(states), reference(layer, states).float(), rtol=1e-4, atol=1e-5
    )


def test_its_gradient_equals_that_of_an_ordinary_convolution():
    layer = PixelConv2d(4, filters=32)
    states = torch.randint(0, 256, (3, 4, 84, 84), dtype=torch.uint8)
    actual, expected = (
        torch.autograd.grad(output.square().sum(), layer.weight)[0]
        for output in (layer(states) - layer.bias[:, None, None], reference(layer, states))
    )
    torch.testing.assert_close(actual, expected, rtol=1e-3, atol=1e-3)


def test_a_non_contiguous_slice_of_frames_gives_the_same_output():
    layer = PixelConv2d(4, filters=2)
    frames = torch.randint(0, 256, (3, 7, 36, 40), dtype=torch.uint8)
    states = frames[:, 3:]
    assert not states.is_contiguous()
    assert torch.equal(layer(states), layer(states.contiguous()))


def test_it_loads_the_parameters_of_an_ordinary_convolution():
    ordinary = torch.nn.Conv2d(4, 32, kernel_size=8, stride=4)
    layer = PixelConv2d(4, filters=32)
    layer.load_state_dict(ordinary.state_dict())
    assert repr(layer).removeprefix("Pixel") == repr(ordinary)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_computes_in_the_dtype_of_its_weights(dtype):
    layer = PixelConv2d(1, filters=2).to(dtype)
    states = torch.randint(0, 256, (1, 1, 8, 8), dtype=torch.uint8)
    assert layer(states).dtype is dtype
