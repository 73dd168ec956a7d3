from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from tensordict import TensorDict

from agents.compute.data_parallel import DataParallel
from agents.ddqn.loss import loss_and_value
from agents.networks.q_network import QNetwork

SIZE = 7


@pytest.fixture(params=[False, True], ids=["shared features", "separate target"])
def network(request) -> QNetwork:
    torch.manual_seed(0)
    network = QNetwork((1, 36, 36), num_actions=3, hidden_size=8, separate_target=request.param)
    for each in network.target_head.parameters():
        each.data += torch.randn_like(each)  # so much that it would choose other actions
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
    network: QNetwork, given: TensorDict, double: bool = True
) -> tuple[list[float], list[float]]:
    """Compute errors and losses transition by transition, as in the papers."""
    errors, losses = [], []
    with torch.no_grad():
        values, after = network.online(given["state"]), network.online(given["next_state"])
        target = network.target(given["next_state"])
    for i in range(SIZE):
        chooser = after if double else target
        best = max(range(3), key=lambda action, i=i: chooser[i, action])
        wanted = given["reward"][i] + given["discount"][i] * target[i, best]
        error = float(wanted - values[i, given["action"][i]])
        errors.append(error)
        losses.append(error**2 / 2 if abs(error) < 1 else abs(error) - 0.5)
    return errors, losses


@pytest.mark.parametrize("double", [True, False])
def test_without_weights_the_loss_is_the_mean_huber_loss(network, double):
    errors, losses = transcribed(network, batch(), double)
    assert min(map(abs, errors)) < 1 < max(map(abs, errors))
    loss, value = loss_and_value(network, batch(), double).tolist()
    assert loss == pytest.approx(np.mean(losses), rel=1e-5)
    taken = network.online(batch()["state"]).gather(1, batch()["action"][:, None])
    assert value == pytest.approx(taken.mean().item(), rel=1e-5)


@pytest.mark.parametrize("threads", [1, 3])
def test_weights_scale_losses_and_all_errors_are_written_to_the_batch(network, threads):
    weights = torch.linspace(0.1, 1, SIZE)
    whole = batch(weights)
    errors, losses = transcribed(network, whole)
    parallel = DataParallel(threads)
    learning = [each for each in network.parameters() if each.requires_grad]
    (loss, _), gradients = parallel.gradients(partial(loss_and_value, network), whole, learning)
    parallel.close()
    assert loss.item() == pytest.approx(np.mean(weights.numpy() * losses), rel=1e-5)
    np.testing.assert_allclose(whole["error"], errors, rtol=1e-4, atol=1e-6)
    # of the output's bias: each transition's clipped error, at its action
    slopes = np.zeros(3)
    np.add.at(slopes, whole["action"], -weights.numpy() * np.clip(errors, -1, 1) / SIZE)
    names = [name for name, each in network.named_parameters() if each.requires_grad]
    bias = gradients[names.index("online_head.2.bias")]
    np.testing.assert_allclose(bias, slopes, rtol=1e-4, atol=1e-6)


def test_double_q_learning_changes_the_loss(network):
    double, alone = (loss_and_value(network, batch(), choice)[0] for choice in (True, False))
    assert double != alone


def test_equal_weights_have_no_effect(network):
    torch.testing.assert_close(
        loss_and_value(network, batch(torch.ones(SIZE))), loss_and_value(network, batch())
    )
