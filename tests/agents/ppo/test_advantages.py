from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.ppo.advantages import (
    clipped_policy_losses,
    clipped_value_losses,
    entropies,
    explained_variance,
    generalized_advantages,
    standardized,
)

GAMMA, LAM = 0.9, 0.7


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
    for time, game in np.ndindex(*r.shape):
        for later in range(time, len(r)):
            advantages[time, game] += (GAMMA * LAM) ** (later - time) * errors[later, game]
            if last[later, game]:
                break
    return advantages


@given(st.integers(0, 1000))
def test_advantages_equal_the_sum_in_the_paper(seed):
    found = generalized_advantages(**steps(seed), gamma=GAMMA, lam=LAM)
    np.testing.assert_allclose(found, by_definition(**steps(seed)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_advantages_equal_those_of_torchrl(seed):
    functional = pytest.importorskip("torchrl.objectives.value.functional")
    given_numbers = {name: each.T.unsqueeze(2) for name, each in steps(seed).items()}
    theirs, _ = functional.generalized_advantage_estimate(
        GAMMA, LAM, given_numbers["values"], given_numbers["next_values"],
        given_numbers["rewards"], given_numbers["ended"], given_numbers["terminated"],
    )  # fmt: skip
    found = generalized_advantages(**steps(seed), gamma=GAMMA, lam=LAM)
    torch.testing.assert_close(found, theirs.squeeze(2).T)


def test_truncated_episodes_are_bootstrapped():
    still, over = torch.tensor([[False]]), torch.tensor([[True]])
    one, five = torch.ones(1, 1), torch.full((1, 1), 5.0)
    for terminated, worth in ((still, 1 + 0.9 * 5.0), (over, 1.0)):
        found = generalized_advantages(one, 0 * one, five, terminated, over, GAMMA, LAM)
        assert found.item() == pytest.approx(worth)


@pytest.mark.parametrize("seed", range(5))
def test_losses_equal_those_of_baselines(seed):
    """Compare with a NumPy transcription of ``ppo2``."""
    now, then, advantages, values, old, returns = numbers(seed, 6)
    clip = 0.2
    a, ratio = advantages.numpy(), np.exp(now.numpy() - then.numpy())
    policy = np.maximum(-a * ratio, -a * np.clip(ratio, 1 - clip, 1 + clip))
    v, o, r = values.numpy(), old.numpy(), returns.numpy()
    near = o + np.clip(v - o, -clip, clip)
    value = 0.5 * np.maximum((v - r) ** 2, (near - r) ** 2)
    np.testing.assert_allclose(
        clipped_policy_losses(now, then, advantages, clip), policy, rtol=1e-5
    )
    np.testing.assert_allclose(clipped_value_losses(values, old, returns, clip), value, rtol=1e-5)


def test_clipped_steps_have_no_gradient():
    now = torch.log(torch.tensor([1.3, 0.7, 1.3, 0.7])).requires_grad_()
    advantages = torch.tensor([1.0, -1.0, -1.0, 1.0])
    clipped_policy_losses(now, torch.zeros(4), advantages, 0.2).sum().backward()
    assert (now.grad != 0).tolist() == [False, False, True, True]


def test_without_clipping_the_value_loss_is_half_the_squared_error():
    values, old, returns = numbers(0, 3)
    found = clipped_value_losses(values, old, returns, float("inf"))
    torch.testing.assert_close(found, 0.5 * (values - returns).square())


def test_entropies_equal_those_of_the_categorical_distribution():
    (logits,) = numbers(0, 1)
    expected = torch.distributions.Categorical(logits=logits).entropy()
    torch.testing.assert_close(entropies(logits.log_softmax(dim=-1)), expected)


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
        (lambda: clipped_policy_losses(FLAT, FLAT, COLUMN, 0.1), "advantages"),
        (lambda: clipped_value_losses(FLAT, COLUMN, FLAT, 0.1), "old_values"),
        (lambda: standardized(FLAT, COLUMN), "weights"),
        (lambda: explained_variance(COLUMN, FLAT), "values"),
    ],
)
def test_shapes_that_would_broadcast_are_rejected(rule, name):
    with pytest.raises(ValueError, match=rf"{name} has shape \(3, 1\), expected \(3,\)"):
        rule()


def test_advantages_reject_mismatched_shapes():
    with pytest.raises(ValueError, match=r"ended has shape \(6,\), expected \(6, 3\)"):
        generalized_advantages(**steps(0) | {"ended": steps(0)["ended"][:, 0]}, gamma=1, lam=1)
