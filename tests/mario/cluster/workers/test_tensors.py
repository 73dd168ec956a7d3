"""Tensors as one array: memory formats survive the way to another process."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mario.cluster.workers.tensors import flatten, load, unflatten


def images():
    return torch.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)


def test_shapes_values_and_memory_formats_are_restored():
    tensors = [
        images().to(memory_format=torch.channels_last), torch.arange(6.0).reshape(2, 3).t(),
        torch.tensor(7.0),
    ]  # fmt: skip
    restored = unflatten(*flatten(tensors))
    assert all(map(torch.equal, tensors, restored))
    assert restored[0].stride() == tensors[0].stride()


def test_parameters_of_the_same_network_receive_the_values_of_a_read_only_array():
    source = images().to(memory_format=torch.channels_last)
    target = torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)
    bias = torch.zeros(3)
    values, _ = flatten([source, torch.ones(3)])
    values.flags.writeable = False
    load(values, [target, bias])
    assert torch.equal(target, source)
    assert bias.tolist() == [1, 1, 1]


def test_weights_of_another_network_are_refused():
    with pytest.raises(ValueError, match="the weights have 4 elements, this network 3"):
        load(np.zeros(4, np.float32), [torch.zeros(3)])
