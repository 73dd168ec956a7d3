from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.ddqn.targets import (
    double_q_targets,
    importance_weights,
    td_errors,
    weighted_mean,
)

ONLINE = torch.tensor([[1.0, 2.0, 0.0], [5.0, 4.0, 3.0], [0.0, 0.0, 1.0]])
TARGET = torch.tensor([[10.0, 20.0, 30.0], [40.0, 50.0, 60.0], [70.0, 80.0, 90.0]])


def test_the_online_network_selects_and_the_target_network_evaluates():
    targets = double_q_targets(
        torch.tensor([1.0, -1.0, 0.5]), torch.full((3,), 0.9), ONLINE, TARGET
    )
    # chosen: 1, 0, 2; valued: 20, 40, 90
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
    # algorithm 1 as it is written, with a memory of a million
    theirs = (1e6 * np.array(probabilities)) ** -beta
    found = importance_weights(torch.tensor(probabilities, dtype=torch.float64), beta)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, theirs / theirs.max(), rtol=1e-5)


def test_weights_compensate_for_the_sampling_probabilities():
    losses, probabilities = torch.tensor([3.0, 8.0, 1.0]), torch.tensor([0.2, 0.7, 0.1])
    weights = importance_weights(probabilities, beta=1.0)
    # what a draw adds on average is the mean over all, but for one factor
    expected = (probabilities * weights * losses).sum() / (probabilities * weights).sum()
    torch.testing.assert_close(expected, losses.mean())
    torch.testing.assert_close(weighted_mean(losses, weights), (losses * weights).sum() / 3)


def test_weighted_mean_rejects_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match=r"weights has shape \(3, 1\), expected \(3,\)"):
        weighted_mean(torch.zeros(3), torch.zeros(3, 1))
