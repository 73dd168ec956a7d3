from __future__ import annotations

import pytest
import torch

from agents.networks.parameters import load_parameters
from agents.networks.q_network import QNetwork


def test_parameters_of_an_equal_network_are_copied():
    source, target = QNetwork((4, 84, 84), num_actions=2), QNetwork((4, 84, 84), num_actions=2)
    load_parameters(target, source.state_dict())
    for own, given in zip(target.parameters(), source.parameters(), strict=True):
        assert torch.equal(own, given)


def test_the_first_different_name_or_shape_is_named():
    weights = QNetwork((4, 84, 84), num_actions=2).state_dict()
    with pytest.raises(ValueError, match=r"weights have online_head.2.bias \(2,\), the .* \(5,\)"):
        load_parameters(QNetwork((4, 84, 84), num_actions=5), weights)
    with pytest.raises(ValueError, match=r"weights have target_features.0.bias missing"):
        load_parameters(QNetwork((4, 84, 84), 2, separate_target=True), weights)
