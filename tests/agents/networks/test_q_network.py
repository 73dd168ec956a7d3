from __future__ import annotations

import pytest
import torch

from agents.networks.q_network import QNetwork
from agents.stateful import load_parameters

STATES = torch.randint(0, 256, (3, 4, 84, 84), dtype=torch.uint8)


def perturb(network: QNetwork) -> None:
    """Add 0.01 to every online parameter."""
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter += 0.01


@pytest.mark.parametrize("shape", [(4, 84, 84), (1, 36, 36), (3, 60, 71), (2, 37, 100)])
def test_it_accepts_any_state_shape_that_the_filters_fit_on(shape):
    states = torch.zeros((2, *shape), dtype=torch.uint8)
    assert QNetwork(shape, num_actions=5, hidden_size=8)(states).shape == (2, 5)


@pytest.mark.parametrize("separate", [False, True])
class TestTarget:
    def test_it_starts_equal_to_the_online_network(self, separate: bool):
        network = QNetwork((4, 84, 84), 2, separate_target=separate)
        assert torch.equal(network.online(STATES), network.target(STATES))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_transition_values_equal_separate_calls(self, separate: bool, dtype):
        network, next_states = QNetwork((4, 84, 84), 2, separate_target=separate), STATES.flip(0)
        network.to(dtype)
        perturb(network)
        q_values, q_online_next, q_target_next = network.transition_values(STATES, next_states)
        assert torch.equal(q_values, network.online(STATES))
        assert torch.equal(q_online_next, network.online(next_states))
        assert torch.equal(q_target_next, network.target(next_states))
        assert not torch.equal(q_online_next, q_target_next)
        assert q_values.requires_grad
        assert not q_online_next.requires_grad
        assert not q_target_next.requires_grad

    def test_it_receives_no_gradient(self, separate: bool):
        network = QNetwork((4, 84, 84), 2, separate_target=separate)
        network.online(STATES).sum().backward()
        frozen = {name for name, parameter in network.named_parameters() if parameter.grad is None}
        assert frozen == {name for name in network.state_dict() if name.startswith("target_")}
        assert len(frozen) == (10 if separate else 4)

    def test_a_sync_copies_the_online_network_as_it_is_then(self, separate: bool):
        network = QNetwork((4, 84, 84), 2, separate_target=separate)
        perturb(network)
        network.sync_target()
        synced = network.target(STATES)
        assert torch.equal(network.online(STATES), synced)
        network.online_head[2].bias.data += 1
        assert torch.equal(network.target(STATES), synced)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_q_values_are_float32_whatever_the_compute_dtype(dtype):
    network = QNetwork((4, 84, 84), 3).to(dtype)
    outputs = (
        *network.transition_values(STATES, STATES),
        network.online(STATES),
        network.target(STATES),
    )
    assert {values.dtype for values in outputs} == {torch.float32}


def test_a_dueling_network_has_two_streams_in_both_heads():
    network = QNetwork((4, 84, 84), num_actions=3, hidden_size=8, dueling=True)
    assert network(STATES).shape == (3, 3)
    perturb(network)
    q_values, q_online_next, q_target_next = network.transition_values(STATES, STATES)
    assert torch.equal(q_values, q_online_next)
    assert not torch.equal(q_online_next, q_target_next)
    network.sync_target()
    assert torch.equal(network.target(STATES), q_values)
    q_values.sum().backward()
    gradients = [parameter.grad for parameter in network.parameters()]
    with_gradient = sum(gradient is not None for gradient in gradients)
    assert with_gradient == 6 + 8, "three convolutions; two streams of two layers"
    with pytest.raises(ValueError, match="online_head.0.bias missing"):
        load_parameters(QNetwork((4, 84, 84), 3, hidden_size=8), network.state_dict())


def test_only_a_separate_target_is_unaffected_by_new_online_features():
    for separate in (False, True):
        network = QNetwork((4, 84, 84), 2, separate_target=separate)
        before = network.target(STATES)
        network.features[0].bias.data += 1
        assert torch.equal(network.target(STATES), before) == separate
