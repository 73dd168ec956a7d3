from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.ppo.gae import explained_variance, generalized_advantages, standardized

GAMMA, GAE_LAMBDA = 0.9, 0.7


def numbers(seed: int, count: int, shape=(6, 3)) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return list(torch.randn(count, *shape, generator=generator))


def steps(seed: int) -> dict[str, torch.Tensor]:
    """Return random steps, a third of which end an episode, half of those by termination."""
    rewards, values, next_values, ends = numbers(seed, 4)
    ended = ends > 0.5
    terminated = ended & (ends > 1.0)
    return {
        "rewards": rewards, "values": values, "next_values": next_values,
        "terminated": terminated, "ended": ended,
    }  # fmt: skip


def by_definition(rewards, values, next_values, terminated, ended) -> np.ndarray:
    """Compute equation 16 as a sum over the rest of each episode, without recursion."""
    given_numbers = (rewards, values, next_values, terminated, ended)
    r, v, w, over, last = (each.double().numpy() for each in given_numbers)
    errors = r + GAMMA * w * (1 - over) - v
    advantages = np.zeros_like(r)
    for time, env in np.ndindex(*r.shape):
        for later in range(time, len(r)):
            advantages[time, env] += (GAMMA * GAE_LAMBDA) ** (later - time) * errors[later, env]
            if last[later, env]:
                break
    return advantages


@given(st.integers(0, 1000))
def test_advantages_equal_the_sum_in_the_paper(seed):
    found = generalized_advantages(**steps(seed), gamma=GAMMA, gae_lambda=GAE_LAMBDA)
    np.testing.assert_allclose(found, by_definition(**steps(seed)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_advantages_equal_those_of_torchrl(seed):
    functional = pytest.importorskip("torchrl.objectives.value.functional")
    given_numbers = {name: each.T.unsqueeze(2) for name, each in steps(seed).items()}
    theirs, _ = functional.generalized_advantage_estimate(
        GAMMA, GAE_LAMBDA, given_numbers["values"], given_numbers["next_values"],
        given_numbers["rewards"], given_numbers["ended"], given_numbers["terminated"],
    )  # fmt: skip
    found = generalized_advantages(**steps(seed), gamma=GAMMA, gae_lambda=GAE_LAMBDA)
    torch.testing.assert_close(found, theirs.squeeze(2).T)


def test_truncated_episodes_are_bootstrapped():
    no, yes = torch.tensor([[False]]), torch.tensor([[True]])
    one, five = torch.ones(1, 1), torch.full((1, 1), 5.0)
    for terminated, expected in ((no, 1 + 0.9 * 5.0), (yes, 1.0)):
        found = generalized_advantages(one, 0 * one, five, terminated, yes, GAMMA, GAE_LAMBDA)
        assert found.item() == pytest.approx(expected)


def test_normalization_equals_numpy():
    (each,) = numbers(3, 1)
    found = standardized(each, torch.ones_like(each))
    array = each.numpy()
    np.testing.assert_allclose(found, (array - array.mean()) / array.std(), atol=1e-5)


def test_steps_without_weight_have_no_effect():
    (each,) = numbers(4, 1, (8,))
    weights = torch.tensor([2.0, 0.0] * 4)
    expected = standardized(each[::2], torch.ones(4))
    torch.testing.assert_close(standardized(each, weights)[::2], expected)


def test_explained_variance_is_one_for_exact_values_and_zero_for_the_mean():
    (returns,) = numbers(5, 1)
    assert explained_variance(returns + 7, returns) == pytest.approx(1.0)
    assert explained_variance(0 * returns, returns) == pytest.approx(0.0, abs=1e-6)
    assert explained_variance(-returns, returns) == pytest.approx(-3.0, abs=1e-5)


FLAT, COLUMN = torch.zeros(3), torch.zeros(3, 1)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (lambda: standardized(FLAT, COLUMN), "weights"),
        (lambda: explained_variance(COLUMN, FLAT), "values"),
    ],
)
def test_shapes_that_would_broadcast_are_rejected(rule, name):
    with pytest.raises(ValueError, match=rf"{name} has shape \(3, 1\), expected \(3,\)"):
        rule()


def test_advantages_reject_mismatched_shapes():
    with pytest.raises(ValueError, match=r"ended has shape \(6,\), expected \(6, 3\)"):
        generalized_advantages(
            **steps(0) | {"ended": steps(0)["ended"][:, 0]}, gamma=1, gae_lambda=1
        )
