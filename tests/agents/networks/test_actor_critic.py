from __future__ import annotations

import pytest
import torch
from cues import SHAPE

from agents.networks.actor_critic import ActorCritic


def make_policy(kind: str = "cnn", num_actions: int = 3) -> ActorCritic:
    torch.manual_seed(0)
    return ActorCritic(SHAPE, num_actions, kind, hidden_size=8, lstm_size=5)


@pytest.mark.parametrize(("kind", "state_size"), [("cnn", 0), ("lstm", 10), ("lnlstm", 10)])
def test_probabilities_sum_to_one_and_outputs_have_the_documented_shapes(kind, state_size):
    network = make_policy(kind)
    assert network.state_size == state_size
    output = network(torch.randn(4, 6, 8), torch.zeros(4, state_size), torch.zeros(4, 6) > 0)
    torch.testing.assert_close(output.log_probs.exp().sum(dim=2), torch.ones(4, 6))
    assert output.log_probs.shape == (4, 6, 3)
    assert output.values.shape == (4, 6)
    assert output.recurrent_state.shape == (4, state_size)


def test_weights_start_orthogonal_and_biases_zero():
    network = make_policy()
    for weight, squared_gain in (
        (network.body[0][2].weight, 2.0),
        (network.body[1].weight, 2.0),
        (network.actor.weight, 0.01**2),
        (network.critic.weight, 1.0),
    ):
        rows = weight.flatten(1)
        expected = squared_gain * torch.eye(len(rows))
        torch.testing.assert_close(rows @ rows.T, expected, atol=1e-5, rtol=0)
    parameters = network.named_parameters()
    biases = [parameter for name, parameter in parameters if name.endswith("bias")]
    assert len(biases) == 6
    assert not any(bias.any() for bias in biases)


def test_an_untrained_policy_is_nearly_uniform():
    network = make_policy(num_actions=4)
    states = torch.randint(0, 256, (5, *SHAPE), dtype=torch.uint8)
    features = network.body(states).unsqueeze(1)
    output = network(features, torch.zeros(5, 0), torch.zeros(5, 1) > 0)
    torch.testing.assert_close(
        output.log_probs.exp(), torch.full((5, 1, 4), 0.25), atol=0.02, rtol=0
    )
