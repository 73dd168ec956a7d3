from __future__ import annotations

import pytest
import torch

from agents.networks.policy_mlp import PolicyNetwork

NUM_PIXELS, HIDDEN_SIZE = 50, 7


def sparse_differences(steps: int = 30) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(-255, 256, (steps, NUM_PIXELS), generator=generator)
    changed = torch.rand(steps, NUM_PIXELS, generator=generator) < 0.1
    differences = (values * changed).short()
    differences[0] = 0  # a step in which no pixel changed
    return differences


def test_with_two_actions_the_first_has_the_sigmoid_of_the_logit() -> None:
    network, differences = PolicyNetwork(NUM_PIXELS, 2, HIDDEN_SIZE), sparse_differences()
    hidden = (differences / 255) @ network.first
    expected = (hidden.relu() @ network.second).sigmoid()[:, 0]
    torch.testing.assert_close(network(differences).exp()[:, 0], expected)


def test_a_policy_of_one_action_is_refused() -> None:
    with pytest.raises(ValueError, match="num_actions is 1; give 2 or more"):
        PolicyNetwork(NUM_PIXELS, 1, HIDDEN_SIZE)
