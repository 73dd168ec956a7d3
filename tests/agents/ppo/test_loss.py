from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tensordict import TensorDict

from agents.networks.actor_critic import ActorCritic, PolicyOutput
from agents.ppo.loss import (
    MEANS,
    PPOLoss,
    clipped_policy_losses,
    clipped_value_losses,
    entropies,
    prepare_minibatch,
)

SEQUENCES, TIME, ACTIONS = 6, 5, 3
LOSS = PPOLoss(clip_range=0.1, value_clip_range=0.1, value_coef=0.5, entropy_coef=0.01)


def batch(**change) -> TensorDict:
    torch.manual_seed(0)
    shape = (SEQUENCES, TIME)
    columns = {name: torch.randn(shape) for name in ("value", "advantage", "return")}
    columns |= {
        "action": torch.randint(ACTIONS, shape),
        "log_prob": -1.1 + 0.1 * torch.randn(shape),
        "valid": torch.ones(shape) > 0,
        "episode_start": torch.rand(shape) > 0.8,
        "features": torch.randn(*shape, 8),
        "recurrent_state": torch.randn(SEQUENCES, 10),
    }
    return TensorDict(columns | change, batch_size=[SEQUENCES])


def network(kind: str = "lstm") -> ActorCritic:
    torch.manual_seed(1)
    made = ActorCritic((1, 36, 36), ACTIONS, kind, hidden_size=8, lstm_size=5)
    torch.nn.init.normal_(made.actor.weight)
    return made


def output(made: ActorCritic, part: TensorDict) -> PolicyOutput:
    return made(part["features"], part["recurrent_state"], part["episode_start"])


def numbers(seed: int, count: int, shape=(6, 3)) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return list(torch.randn(count, *shape, generator=generator))


def test_the_means_equal_those_of_baselines():
    """Compare with a NumPy transcription of ``ppo2``, including normalized advantages."""
    given, actor_critic = batch(), network()
    current = output(actor_critic, given)
    log_probs = current.log_probs.detach().numpy()
    action, old = given["action"].numpy(), given["log_prob"].numpy()
    a = given["advantage"].numpy()
    a = (a - a.mean()) / (a.std() + 1e-8)
    chosen = np.take_along_axis(log_probs, action[..., None], axis=2)[..., 0]
    ratio = np.exp(chosen - old)
    policy = np.maximum(-a * ratio, -a * np.clip(ratio, 0.9, 1.1)).mean()
    v, o, r = current.values.detach().numpy(), given["value"].numpy(), given["return"].numpy()
    clipped = o + np.clip(v - o, -0.1, 0.1)
    value = 0.5 * np.maximum((v - r) ** 2, (clipped - r) ** 2).mean()
    entropy = -(np.exp(log_probs) * log_probs).sum(axis=2).mean()
    means = LOSS(current, prepare_minibatch(given, normalize=True))
    assert tuple(means) == MEANS
    assert {name: mean.item() for name, mean in means.items()} == pytest.approx(
        {
            "loss": policy - 0.01 * entropy + 0.5 * value,
            "policy_loss": policy,
            "value_loss": value,
            "entropy": entropy,
            "approx_kl": 0.5 * ((chosen - old) ** 2).mean(),
            "clip_fraction": (np.abs(ratio - 1) > 0.1).mean(),
        },
        rel=1e-4,
    )


@pytest.mark.parametrize("kind", ["lstm", "lnlstm"])
def test_parts_of_a_batch_of_sequences_have_its_mean_loss_and_gradient(kind):
    made, whole = network(kind), prepare_minibatch(batch(), normalize=False)
    parameters = [*made.core.parameters(), *made.actor.parameters(), *made.critic.parameters()]
    expected = LOSS(output(made, whole), whole)
    gradients = torch.autograd.grad(expected["loss"], parameters)
    parts = [whole[torch.tensor(index)] for index in ([3, 0, 5], [1, 4, 2])]
    losses = [LOSS(output(made, part), part) for part in parts]
    means = {name: torch.stack([loss[name] for loss in losses]).mean() for name in MEANS}
    torch.testing.assert_close(means, expected)
    actual = torch.autograd.grad(means["loss"], parameters)
    torch.testing.assert_close(actual, gradients)


def test_an_invalid_step_changes_nothing():
    valid = torch.ones(SEQUENCES, TIME, dtype=torch.bool)
    valid[:, -1] = False
    with_invalid, full = batch(valid=valid), batch()
    current = output(network(), with_invalid)
    shortened = PolicyOutput(
        *(each[:, :-1] for each in output(network(), full)[:2]), current.recurrent_state
    )
    columns = {name: each[:, :-1] for name, each in full.items() if name != "recurrent_state"}
    shortened_batch = TensorDict(columns, batch_size=[SEQUENCES])
    torch.testing.assert_close(
        LOSS(current, prepare_minibatch(with_invalid, normalize=True)),
        LOSS(shortened, prepare_minibatch(shortened_batch, normalize=True)),
    )


def test_a_minibatch_without_valid_steps_has_no_loss():
    part = prepare_minibatch(batch(valid=torch.zeros(SEQUENCES, TIME) > 0), normalize=True)
    means = LOSS(output(network(), part), part)
    assert [mean.item() for mean in means.values()] == [0.0] * len(MEANS)


def test_an_infinite_value_clip_range_clips_no_values():
    loss = PPOLoss(clip_range=0.1, value_clip_range=math.inf, value_coef=0.5, entropy_coef=0.0)
    part = prepare_minibatch(batch(), normalize=False)
    current = output(network(), part)
    expected = 0.5 * (current.values - part["return"]).square().mean()
    torch.testing.assert_close(loss(current, part)["value_loss"], expected)


@pytest.mark.parametrize("seed", range(5))
def test_losses_equal_those_of_baselines(seed):
    """Compare with a NumPy transcription of ``ppo2``."""
    now, then, advantages, values, old, returns = numbers(seed, 6)
    clip = 0.2
    a, ratio = advantages.numpy(), np.exp(now.numpy() - then.numpy())
    policy = np.maximum(-a * ratio, -a * np.clip(ratio, 1 - clip, 1 + clip))
    v, o, r = values.numpy(), old.numpy(), returns.numpy()
    clipped = o + np.clip(v - o, -clip, clip)
    value = 0.5 * np.maximum((v - r) ** 2, (clipped - r) ** 2)
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


FLAT, COLUMN = torch.zeros(3), torch.zeros(3, 1)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (lambda: clipped_policy_losses(FLAT, FLAT, COLUMN, 0.1), "advantages"),
        (lambda: clipped_value_losses(FLAT, COLUMN, FLAT, 0.1), "old_values"),
    ],
)
def test_shapes_that_would_broadcast_are_rejected(rule, name):
    with pytest.raises(ValueError, match=rf"{name} has shape \(3, 1\), expected \(3,\)"):
        rule()
