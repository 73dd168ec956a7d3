from __future__ import annotations

import torch

from agents.networks.heads import DuelingHead, Head


def test_a_head_has_one_hidden_layer():
    shapes = [tuple(each.shape) for each in Head(6, hidden=4, num_outputs=3).parameters()]
    assert shapes == [(4, 6), (4,), (3, 4), (3,)]


def test_a_dueling_head_is_value_plus_advantages_less_their_mean():
    head, features = DuelingHead(6, hidden=4, num_actions=3), torch.rand(5, 6)
    weights = head.state_dict()

    def stream(name: str) -> torch.Tensor:
        inner = features @ weights[f"{name}.0.weight"].T + weights[f"{name}.0.bias"]
        return inner.clamp(min=0) @ weights[f"{name}.2.weight"].T + weights[f"{name}.2.bias"]

    value, advantages = stream("value"), stream("advantages")
    values = head(features)
    assert values.shape == (5, 3)
    torch.testing.assert_close(values.mean(dim=1, keepdim=True), value)
    torch.testing.assert_close(values.diff(), advantages.diff())


def test_what_one_action_teaches_all_actions_learn():
    head = DuelingHead(6, hidden=4, num_actions=3)
    head(torch.rand(1, 6))[0, 1].backward()
    assert (head.value[2].bias.grad == 1).all()
    torch.testing.assert_close(head.advantages[2].bias.grad, torch.tensor([-1, 2, -1]) / 3)
