from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tensordict import TensorDict

from agents.networks.actor_critic import ActorCritic, PolicyOutput
from agents.ppo.loss import MEANS, PPOLoss, prepare

SEQUENCES, TIME, ACTIONS = 6, 5, 3
LOSS = PPOLoss(clip=0.1, value_clip=0.1, value_coef=0.5, entropy_coef=0.01)


def batch(**change) -> TensorDict:
    torch.manual_seed(0)
    shape = (SEQUENCES, TIME)
    columns = {name: torch.randn(shape) for name in ("value", "advantage", "return")}
    columns |= {
        "action": torch.randint(ACTIONS, shape),
        "log_prob": -1.1 + 0.1 * torch.randn(shape),
        "happened": torch.ones(shape) > 0,
        "begins": torch.rand(shape) > 0.8,
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
    return made(part["features"], part["recurrent_state"], part["begins"])


def test_metrics_equal_those_of_baselines():
    """Compare with a NumPy transcription of ``ppo2``, including normalized advantages."""
    given, made = batch(), network()
    view = output(made, given)
    logp = view.log_probs.detach().numpy()
    action, old = given["action"].numpy(), given["log_prob"].numpy()
    a = given["advantage"].numpy()
    a = (a - a.mean()) / (a.std() + 1e-8)
    taken = np.take_along_axis(logp, action[..., None], axis=2)[..., 0]
    ratio = np.exp(taken - old)
    policy = np.maximum(-a * ratio, -a * np.clip(ratio, 0.9, 1.1)).mean()
    v, o, r = view.values.detach().numpy(), given["value"].numpy(), given["return"].numpy()
    near = o + np.clip(v - o, -0.1, 0.1)
    value = 0.5 * np.maximum((v - r) ** 2, (near - r) ** 2).mean()
    entropy = -(np.exp(logp) * logp).sum(axis=2).mean()
    expected = {
        "loss": policy - 0.01 * entropy + 0.5 * value,
        "policy_loss": policy,
        "value_loss": value,
        "entropy": entropy,
        "approx_kl": 0.5 * ((taken - old) ** 2).mean(),
        "clip_fraction": (np.abs(ratio - 1) > 0.1).mean(),
    }
    found = LOSS(view, prepare(given, normalize=True))
    assert dict(zip(MEANS, found.tolist(), strict=True)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", ["lstm", "lnlstm"])
def test_split_sequences_have_the_same_loss_and_gradient(kind):
    made, whole = network(kind), prepare(batch(), normalize=False)
    parameters = [*made.core.parameters(), *made.actor.parameters(), *made.critic.parameters()]
    expected = LOSS(output(made, whole), whole)
    gradients = torch.autograd.grad(expected[0], parameters)
    parts = [whole[torch.tensor(index)] for index in ([3, 0, 5], [1, 4, 2])]
    found = torch.stack([LOSS(output(made, part), part) for part in parts]).mean(dim=0)
    torch.testing.assert_close(found, expected)
    for mine, theirs in zip(torch.autograd.grad(found[0], parameters), gradients, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_invalid_steps_have_no_effect():
    happened = torch.ones(SEQUENCES, TIME, dtype=torch.bool)
    happened[:, -1] = False
    part = batch(happened=happened)
    without = batch()
    view, made = output(network(), part), network()
    expected_view = PolicyOutput(
        *(each[:, :-1] for each in output(made, without)[:2]), view.recurrent_state
    )
    columns = {name: each[:, :-1] for name, each in without.items() if name != "recurrent_state"}
    expected = LOSS(
        expected_view, prepare(TensorDict(columns, batch_size=[SEQUENCES]), normalize=True)
    )
    torch.testing.assert_close(LOSS(view, prepare(part, normalize=True)), expected)


def test_a_minibatch_of_invalid_steps_has_no_loss():
    part = prepare(batch(happened=torch.zeros(SEQUENCES, TIME) > 0), normalize=True)
    assert LOSS(output(network(), part), part).tolist() == [0.0] * len(MEANS)


def test_values_are_not_clipped_with_an_infinite_range():
    free = PPOLoss(clip=0.1, value_clip=math.inf, value_coef=0.5, entropy_coef=0.0)
    part = prepare(batch(), normalize=False)
    view = output(network(), part)
    expected = 0.5 * (view.values - part["return"]).square().mean()
    torch.testing.assert_close(free(view, part)[MEANS.index("value_loss")], expected)
