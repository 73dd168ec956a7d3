from __future__ import annotations

import pytest
import torch
from cues import SHAPE

from agents.networks.actor_critic import ActorCritic


def policy(kind: str = "cnn", num_actions: int = 3) -> ActorCritic:
    torch.manual_seed(0)
    return ActorCritic(SHAPE, num_actions, kind, hidden=8, cells=5)


@pytest.mark.parametrize(("kind", "state_size"), [("cnn", 0), ("lstm", 10), ("lnlstm", 10)])
def test_chances_sum_to_one_and_shapes_are_those_of_the_sequences(kind, state_size):
    network = policy(kind)
    assert network.state_size == state_size
    output = network(torch.randn(4, 6, 8), torch.zeros(4, state_size), torch.zeros(4, 6) > 0)
    torch.testing.assert_close(output.log_probs.exp().sum(dim=2), torch.ones(4, 6))
    assert output.log_probs.shape == (4, 6, 3)
    assert output.values.shape == (4, 6)
    assert output.recurrent_state.shape == (4, state_size)


def test_weights_begin_orthogonal_and_biases_at_nothing():
    network = policy()
    for weight, gain in (
        (network.body[0][2].weight, 2.0),
        (network.body[1].weight, 2.0),
        (network.actor.weight, 0.01**2),
        (network.critic.weight, 1.0),
    ):
        rows = weight.flatten(1)
        torch.testing.assert_close(rows @ rows.T, gain * torch.eye(len(rows)), atol=1e-5, rtol=0)
    biases = [each for name, each in network.named_parameters() if name.endswith("bias")]
    assert len(biases) == 6
    assert not any(each.any() for each in biases)


def test_all_actions_begin_with_nearly_the_same_chance():
    network = policy(num_actions=4)
    states = torch.randint(0, 256, (5, *SHAPE), dtype=torch.uint8)
    features = network.body(states).unsqueeze(1)
    output = network(features, torch.zeros(5, 0), torch.zeros(5, 1) > 0)
    torch.testing.assert_close(
        output.log_probs.exp(), torch.full((5, 1, 4), 0.25), atol=0.02, rtol=0
    )
