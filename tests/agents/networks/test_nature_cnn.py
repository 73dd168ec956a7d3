from __future__ import annotations

import pytest
import torch

from agents.networks.nature_cnn import NatureCNN


def test_it_has_the_convolutions_of_the_nature_paper():
    convolutions = [layer for layer in NatureCNN((4, 84, 84)) if isinstance(layer, torch.nn.Conv2d)]
    shapes = [(c.out_channels, *c.kernel_size, *c.stride) for c in convolutions]
    assert shapes == [(32, 8, 8, 4, 4), (64, 4, 4, 2, 2), (64, 3, 3, 1, 1)]


@pytest.mark.parametrize("shape", [(4, 84, 84), (1, 36, 36), (3, 60, 71), (2, 37, 100)])
def test_num_features_is_the_length_of_the_output_for_any_valid_shape(shape):
    network = NatureCNN(shape)
    states = torch.zeros((2, *shape), dtype=torch.uint8)
    assert network(states).shape == (2, network.num_features)


@pytest.mark.parametrize("shape", [(4, 35, 84), (84, 84), (4, 84, 20)])
def test_an_image_too_small_for_the_filters_is_refused(shape):
    with pytest.raises(ValueError, match=r"state_shape is .* of 36 pixels or more"):
        NatureCNN(shape)


def test_pixels_are_scaled_to_the_unit_interval():
    states = torch.randint(0, 256, (3, 4, 84, 84), dtype=torch.uint8)
    features = NatureCNN((4, 84, 84))
    first, *others = features
    scaled = torch.nn.functional.conv2d(states / 255, first.weight, first.bias, stride=4)
    torch.testing.assert_close(features(states), torch.nn.Sequential(*others)(scaled))
