from __future__ import annotations

import pytest
import torch

from agents.networks.q_network import NatureCNN, QNetwork, load_parameters

STATES = torch.randint(0, 256, (3, 4, 84, 84), dtype=torch.uint8)


def nudge(network: QNetwork) -> None:
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter += 0.01


def grads(network: QNetwork) -> list[torch.Tensor]:
    return [each.grad for each in network.parameters() if each.grad is not None]


def test_it_has_the_layers_of_nature():
    convolutions = [layer for layer in NatureCNN((4, 84, 84)) if isinstance(layer, torch.nn.Conv2d)]
    shapes = [(c.out_channels, *c.kernel_size, *c.stride) for c in convolutions]
    assert shapes == [(32, 8, 8, 4, 4), (64, 4, 4, 2, 2), (64, 3, 3, 1, 1)]


@pytest.mark.parametrize("shape", [(4, 84, 84), (1, 36, 36), (3, 60, 71), (2, 37, 100)])
def test_any_image_that_the_filters_fit_on_can_be_seen(shape):
    states = torch.zeros((2, *shape), dtype=torch.uint8)
    assert NatureCNN(shape)(states).shape == (2, NatureCNN(shape).num_features)
    assert QNetwork(shape, num_actions=5, hidden=8)(states).shape == (2, 5)


@pytest.mark.parametrize("shape", [(4, 35, 84), (84, 84), (4, 84, 20)])
def test_an_image_too_small_for_the_filters_is_refused(shape):
    with pytest.raises(ValueError, match=r"state_shape is .* of 36 pixels or more"):
        NatureCNN(shape)


def test_bytes_are_scaled_to_the_unit_interval():
    features = NatureCNN((4, 84, 84))
    first, *others = features
    pixels = torch.nn.functional.conv2d(STATES / 255, first.weight, first.bias, stride=4)
    torch.testing.assert_close(features(STATES), torch.nn.Sequential(*others)(pixels))


@pytest.mark.parametrize("separate", [False, True])
class TestTarget:
    def test_it_begins_as_the_online_network(self, separate: bool):
        network = QNetwork((4, 84, 84), 2, separate_target=separate)
        assert torch.equal(network.online(STATES), network.target(STATES))

    @pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
    def test_across_is_online_of_one_side_and_both_of_the_other(self, separate: bool, precision):
        network, next_states = QNetwork((4, 84, 84), 2, separate_target=separate), STATES.flip(0)
        network.to(precision)
        nudge(network)
        values, online, target = network.across(STATES, next_states)
        assert torch.equal(values, network.online(STATES))
        assert torch.equal(online, network.online(next_states))
        assert torch.equal(target, network.target(next_states))
        assert not torch.equal(online, target)
        assert [each.requires_grad for each in (values, online, target)] == [True, False, False]

    def test_no_learning_reaches_it(self, separate: bool):
        network = QNetwork((4, 84, 84), 2, separate_target=separate)
        network.online(STATES).sum().backward()
        frozen = {name for name, each in network.named_parameters() if each.grad is None}
        assert frozen == {name for name in network.state_dict() if name.startswith("target_")}
        assert len(frozen) == (10 if separate else 4)

    def test_a_sync_makes_it_the_online_network_of_that_moment(self, separate: bool):
        network = QNetwork((4, 84, 84), 2, separate_target=separate)
        nudge(network)
        network.sync_target()
        synced = network.target(STATES)
        assert torch.equal(network.online(STATES), synced)
        network.online_head[2].bias.data += 1
        assert torch.equal(network.target(STATES), synced)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_values_are_float32_whatever_it_computes_with(precision):
    network = QNetwork((4, 84, 84), 3).to(precision)
    found = (*network.across(STATES, STATES), network.online(STATES), network.target(STATES))
    assert {values.dtype for values in found} == {torch.float32}


def test_a_dueling_network_has_two_streams_in_both_heads():
    network = QNetwork((4, 84, 84), num_actions=3, hidden=8, dueling=True)
    assert network(STATES).shape == (3, 3)
    nudge(network)
    values, after, target = network.across(STATES, STATES)
    assert torch.equal(values, after)
    assert not torch.equal(after, target)
    network.sync_target()
    assert torch.equal(network.target(STATES), values)
    values.sum().backward()
    assert len(grads(network)) == 6 + 8, "three convolutions; two streams of two layers"
    with pytest.raises(ValueError, match="online_head.0.bias missing"):
        load_parameters(QNetwork((4, 84, 84), num_actions=3, hidden=8), network.state_dict())


def test_only_a_separate_target_keeps_the_features_it_had():
    for separate in (False, True):
        network = QNetwork((4, 84, 84), 2, separate_target=separate)
        before = network.target(STATES)
        network.features[0].bias.data += 1
        assert torch.equal(network.target(STATES), before) == separate


def test_weights_go_only_into_a_network_of_the_same_shape():
    weights = QNetwork((4, 84, 84), num_actions=2).state_dict()
    load_parameters(QNetwork((4, 84, 84), num_actions=2), weights)
    with pytest.raises(ValueError, match=r"weights have online_head.2.bias \(2,\), the .* \(5,\)"):
        load_parameters(QNetwork((4, 84, 84), num_actions=5), weights)
    with pytest.raises(ValueError, match=r"weights have target_features.0.bias missing"):
        load_parameters(QNetwork((4, 84, 84), 2, separate_target=True), weights)
