from __future__ import annotations

import pytest
import torch

from agents.networks.heads import DuelingHead, Head, dueling_values


def test_a_head_has_one_hidden_layer():
    parameters = Head(6, hidden_size=4, num_outputs=3).parameters()
    assert [tuple(parameter.shape) for parameter in parameters] == [(4, 6), (4,), (3, 4), (3,)]


def test_dueling_values_equal_equation_9_of_the_paper():
    value = torch.rand(5, 1, dtype=torch.float64)
    advantages = torch.rand(5, 3, dtype=torch.float64)
    q_values = dueling_values(value, advantages)
    for row in range(5):
        mean = sum(float(advantage) for advantage in advantages[row]) / 3
        for action in range(3):
            expected = float(value[row]) + float(advantages[row, action]) - mean
            assert float(q_values[row, action]) == pytest.approx(expected, rel=1e-5)


def test_dueling_values_refuse_a_value_that_would_broadcast():
    with pytest.raises(ValueError, match=r"value has the shape \(3,\); give \(3, 1\)"):
        dueling_values(torch.zeros(3), torch.zeros(3, 3))


def test_a_dueling_head_adds_mean_free_advantages_to_the_state_value():
    head, features = DuelingHead(6, hidden_size=4, num_actions=3), torch.rand(5, 6)
    weights = head.state_dict()

    def stream(name: str) -> torch.Tensor:
        hidden = features @ weights[f"{name}.0.weight"].T + weights[f"{name}.0.bias"]
        return hidden.clamp(min=0) @ weights[f"{name}.2.weight"].T + weights[f"{name}.2.bias"]

    value, advantages = stream("value"), stream("advantages")
    q_values = head(features)
    assert q_values.shape == (5, 3)
    torch.testing.assert_close(q_values.mean(dim=1, keepdim=True), value)
    torch.testing.assert_close(q_values.diff(), advantages.diff())


def test_the_gradient_of_one_action_reaches_the_value_and_all_advantages():
    head = DuelingHead(6, hidden_size=4, num_actions=3)
    head(torch.rand(1, 6))[0, 1].backward()
    assert (head.value[2].bias.grad == 1).all()
    torch.testing.assert_close(head.advantages[2].bias.grad, torch.tensor([-1, 2, -1]) / 3)
