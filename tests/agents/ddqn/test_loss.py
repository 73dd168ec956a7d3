from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tensordict import TensorDict

from agents.compute.data_parallel import DataParallel
from agents.ddqn.loss import (
    double_q_loss,
    double_q_targets,
    importance_weights,
    td_errors,
    weighted_mean,
)
from agents.networks.q_network import QNetwork

SIZE = 7


@pytest.fixture(params=[False, True], ids=["shared features", "separate target"])
def network(request) -> QNetwork:
    torch.manual_seed(0)
    network = QNetwork((1, 36, 36), num_actions=3, hidden_size=8, separate_target=request.param)
    for each in network.target_head.parameters():
        each.data += torch.randn_like(each)  # enough to select other actions
    if network.target_features is not None:
        for each in network.target_features.parameters():
            each.data *= 1.1
    return network


def batch(weights: torch.Tensor | None = None) -> TensorDict:
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 256, (2, SIZE, 1, 36, 36), dtype=torch.uint8, generator=generator)
    columns = {
        "state": pixels[0],
        "next_state": pixels[1],
        "action": torch.randint(3, (SIZE,), generator=generator),
        "reward": 3 * torch.rand(SIZE, generator=generator),  # errors on both sides of 1
        "discount": torch.tensor([0.9] * 5 + [0.0] * 2),
    }
    if weights is not None:
        columns |= {"weight": weights, "error": torch.zeros(SIZE)}
    return TensorDict(columns, batch_size=[SIZE])


def transcribed(
    network: QNetwork, transitions: TensorDict, double: bool = True
) -> tuple[list[float], list[float]]:
    """Return the errors and their Huber losses, computed for one transition after another."""
    errors, losses = [], []
    with torch.no_grad():
        values = network.online(transitions["state"])
        online_next = network.online(transitions["next_state"])
        target_next = network.target(transitions["next_state"])
    for i in range(SIZE):
        selecting = online_next if double else target_next
        best = max(range(3), key=lambda action, i=i: selecting[i, action])
        target = transitions["reward"][i] + transitions["discount"][i] * target_next[i, best]
        error = float(target - values[i, transitions["action"][i]])
        errors.append(error)
        losses.append(error**2 / 2 if abs(error) < 1 else abs(error) - 0.5)
    return errors, losses


@pytest.mark.parametrize("double", [True, False])
def test_the_loss_is_the_mean_huber_loss(network, double):
    errors, losses = transcribed(network, batch(), double)
    assert min(map(abs, errors)) < 1 < max(map(abs, errors))
    means = double_q_loss(network, batch(), double)
    assert means["loss"].item() == pytest.approx(np.mean(losses), rel=1e-5)
    values = network.online(batch()["state"]).gather(1, batch()["action"][:, None])
    assert means["q"].item() == pytest.approx(values.mean().item(), rel=1e-5)


@pytest.mark.parametrize("threads", [1, 3])
def test_weights_scale_each_loss_and_all_threads_write_their_errors(network, threads):
    weights = torch.linspace(0.1, 1, SIZE)
    weighted = batch(weights)
    errors, losses = transcribed(network, weighted)
    parallel = DataParallel(threads)
    trainable = {name: each for name, each in network.named_parameters() if each.requires_grad}
    means, gradients = parallel.gradients(
        partial(double_q_loss, network), weighted, list(trainable.values())
    )
    parallel.close()
    assert means["loss"].item() == pytest.approx(np.mean(weights.numpy() * losses), rel=1e-5)
    np.testing.assert_allclose(weighted["error"], errors, rtol=1e-4, atol=1e-6)
    # The gradient of the output bias is each transition's clipped error, at its action.
    expected = np.zeros(3)
    np.add.at(expected, weighted["action"], -weights.numpy() * np.clip(errors, -1, 1) / SIZE)
    gradient = gradients[list(trainable).index("online_head.2.bias")]
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)


def test_double_q_learning_differs_from_q_learning(network):
    losses = [double_q_loss(network, batch(), double)["loss"] for double in (True, False)]
    assert losses[0] != losses[1]


def test_equal_weights_have_no_effect(network):
    torch.testing.assert_close(
        double_q_loss(network, batch(torch.ones(SIZE))), double_q_loss(network, batch())
    )


ONLINE = torch.tensor([[1.0, 2.0, 0.0], [5.0, 4.0, 3.0], [0.0, 0.0, 1.0]])
TARGET = torch.tensor([[10.0, 20.0, 30.0], [40.0, 50.0, 60.0], [70.0, 80.0, 90.0]])


def test_the_online_network_selects_and_the_target_network_evaluates():
    targets = double_q_targets(
        torch.tensor([1.0, -1.0, 0.5]), torch.full((3,), 0.9), ONLINE, TARGET
    )
    # selected: 1, 0, 2; evaluated: 20, 40, 90
    torch.testing.assert_close(targets, torch.tensor([19.0, 35.0, 81.5]))


def test_bootstrapping_uses_the_discounts():
    discounts = torch.tensor([0.0, 0.5**3, 0.5])
    targets = double_q_targets(torch.zeros(3), discounts, ONLINE, TARGET)
    torch.testing.assert_close(targets, torch.tensor([0.0, 5.0, 45.0]))


def test_targets_have_no_gradient_and_errors_have():
    values = TARGET.clone().requires_grad_()
    targets = double_q_targets(torch.ones(3), torch.ones(3), ONLINE, values)
    assert not targets.requires_grad
    q_values = ONLINE.clone().requires_grad_()
    td_errors(q_values, torch.tensor([0, 1, 2]), targets).sum().backward()
    assert q_values.grad.tolist() == [[-1, 0, 0], [0, -1, 0], [0, 0, -1]]


def test_errors_are_targets_minus_values():
    errors = td_errors(ONLINE, torch.tensor([1, 0, 2]), torch.tensor([3.0, 3.0, 3.0]))
    torch.testing.assert_close(errors, torch.tensor([1.0, -2.0, 2.0]))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"rewards": torch.zeros(3, 1)}, r"rewards has shape \(3, 1\), expected \(3,\)"),
        ({"discounts": torch.zeros(2)}, r"discounts has shape \(2,\), expected \(3,\)"),
        ({"q_target_next": TARGET[:, :2]}, r"q_target_next has shape \(3, 2\), expected \(3, 3\)"),
    ],
)
def test_shapes_that_would_broadcast_are_rejected(broken, message):
    given = {"rewards": torch.zeros(3), "discounts": torch.zeros(3)}
    given |= {"q_online_next": ONLINE, "q_target_next": TARGET} | broken
    with pytest.raises(ValueError, match=message):
        double_q_targets(**given)


def test_errors_reject_a_column_of_targets():
    with pytest.raises(ValueError, match=r"targets has shape \(3, 1\)"):
        td_errors(ONLINE, torch.tensor([0, 1, 2]), torch.zeros(3, 1))


@given(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=9), st.floats(0, 1))
def test_importance_weights_equal_those_of_the_paper(probabilities, beta):
    # Algorithm 1 as written, with a memory of a million.
    expected = (1e6 * np.array(probabilities)) ** -beta
    weights = importance_weights(torch.tensor(probabilities, dtype=torch.float64), beta)
    assert weights.dtype == torch.float32
    np.testing.assert_allclose(weights, expected / expected.max(), rtol=1e-5)


def test_weights_compensate_for_the_sampling_probabilities():
    losses, probabilities = torch.tensor([3.0, 8.0, 1.0]), torch.tensor([0.2, 0.7, 0.1])
    weights = importance_weights(probabilities, beta=1.0)
    # The expected contribution of a sample is the mean over all, up to a constant factor.
    expected = (probabilities * weights * losses).sum() / (probabilities * weights).sum()
    torch.testing.assert_close(expected, losses.mean())
    torch.testing.assert_close(weighted_mean(losses, weights), (losses * weights).sum() / 3)


def test_weighted_mean_rejects_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match=r"weights has shape \(3, 1\), expected \(3,\)"):
        weighted_mean(torch.zeros(3), torch.zeros(3, 1))
