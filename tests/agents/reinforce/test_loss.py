"""The loss of REINFORCE, compared with a transcription of the tutorial's NumPy code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agents.networks.policy_mlp import PolicyNetwork
from agents.reinforce.loss import (
    differences,
    discounted_returns,
    reinforce_loss,
    standardized,
)

PIXELS, HIDDEN, STEPS = 50, 7, 30


def tutorials_returns(rewards, gamma):
    """``discount_rewards`` of "Deep reinforcement learning on Pong from pixels"."""
    returns, running = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        if rewards[t] != 0:
            running = 0.0
        running = running * gamma + rewards[t]
        returns[t] = running
    return returns


def tutorials_gradient(w1, w2, x, y, advantages):
    """Its ``policy_forward`` and ``policy_backward``: the gradients to ascend.

    Args:
        w1: ``(hidden, pixels)``.
        w2: ``(hidden,)``.
        x: ``(steps, pixels)``.
        y: whether the first action was taken, ``(steps,)``.
        advantages: ``(steps,)``.
    """
    hidden = x @ w1.T
    hidden[hidden < 0] = 0
    p = 1 / (1 + np.exp(-(hidden @ w2)))
    dlogp = (y - p) * advantages
    dhidden = np.outer(dlogp, w2)
    dhidden[hidden <= 0] = 0
    return dhidden.T @ x, hidden.T @ dlogp


def random_episode(seed=0, num_actions=2):
    rng = np.random.default_rng(seed)
    changes = rng.choice([-255, 0, 0, 0, 255], size=(STEPS, PIXELS)).astype(np.int16)
    changes[0] = 0  # as at the start of an episode
    actions = rng.integers(num_actions, size=STEPS)
    rewards = rng.choice([-1, 0, 0, 0, 1], size=STEPS).astype(np.float32)
    return changes, actions, rewards


def loss_and_gradients(network, changes, actions, advantages):
    """Return the means of the loss over an episode, and the gradients of its sum."""
    means = reinforce_loss(
        network(torch.from_numpy(changes)), torch.from_numpy(actions), torch.from_numpy(advantages)
    )
    gradients = torch.autograd.grad(means["loss"] * len(actions), list(network.parameters()))
    return means, gradients


@given(arrays(np.float32, st.integers(1, 30), elements=st.sampled_from([-1, 0, 0, 1, 2.5])))
def test_returns_equal_the_reference_implementation(rewards) -> None:
    expected = tutorials_returns(rewards.astype(float), 0.99)
    np.testing.assert_allclose(discounted_returns(rewards, 0.99, restart=True), expected)


@given(arrays(np.float32, st.integers(1, 30), elements=st.floats(-3, 3, width=32)))
def test_returns_without_restarts_are_discounted_sums_to_the_end(rewards) -> None:
    returns = discounted_returns(rewards, 0.9, restart=False)
    for step in range(len(rewards)):
        later = rewards[step:].astype(float)
        assert returns[step] == pytest.approx((later * 0.9 ** np.arange(len(later))).sum())


def test_standardized_returns_have_mean_0_and_deviation_1() -> None:
    result = standardized(np.random.default_rng(0).normal(5, 3, 100))
    assert (result.mean(), result.std()) == (pytest.approx(0, abs=1e-6), pytest.approx(1))
    assert standardized(np.full(9, 0.7)).tolist() == [0] * 9


@pytest.mark.parametrize("seed", range(3))
def test_gradients_equal_the_reference_implementation(seed) -> None:
    torch.manual_seed(seed)
    network = PolicyNetwork(PIXELS, 2, HIDDEN).double()
    changes, actions, rewards = random_episode(seed)
    advantages = standardized(discounted_returns(rewards, 0.99, restart=True)).astype(np.float64)
    _, gradients = loss_and_gradients(network, changes, actions, advantages)
    w1, w2 = network.first.detach().numpy().T, network.second.detach().numpy()[:, 0]
    up = (actions == 0).astype(float)
    expected = tutorials_gradient(w1, w2, changes / 255, up, advantages)
    for ours, tutorials in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(-ours.numpy().T.squeeze(), tutorials, rtol=1e-5, atol=1e-6)


def test_a_gradient_step_decreases_the_loss_for_any_number_of_actions() -> None:
    torch.manual_seed(0)
    network = PolicyNetwork(PIXELS, 4, HIDDEN)
    changes, actions, _ = random_episode(num_actions=4)
    advantages = np.linspace(-1, 1, STEPS, dtype=np.float32)
    before, gradients = loss_and_gradients(network, changes, actions, advantages)
    with torch.no_grad():
        for parameter, gradient in zip(network.parameters(), gradients, strict=True):
            parameter -= 1e-3 * gradient
    after, _ = loss_and_gradients(network, changes, actions, advantages)
    assert after["loss"] < before["loss"]
    assert 0 < after["entropy"] < np.log(4)


def test_differences_subtract_the_last_frame_but_one_from_the_last() -> None:
    states = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 6), np.uint8)
    expected = states[:, 3].astype(int) - states[:, 2]
    np.testing.assert_array_equal(differences(states), expected.reshape(3, 30))
    np.testing.assert_array_equal(differences(states[:, :1]), states[:, 0].reshape(3, 30))


def test_shapes_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shapes are \[\(3, 2\), \(3,\), \(4,\)\]"):
        reinforce_loss(torch.zeros(3, 2), torch.zeros(3, dtype=torch.int64), torch.zeros(4))
