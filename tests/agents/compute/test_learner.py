from __future__ import annotations

import pytest
import torch
from tensordict import TensorDict
from torch import nn

from agents.compute.data_parallel import DataParallel
from agents.compute.learner import MOST_SKIPPED, Learner
from agents.compute.precision import ComputeCopy


class Pair(nn.Module):
    """A network body and a head that stays in float32."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Linear(2, 2)
        self.head = nn.Linear(2, 1)


@pytest.fixture
def parallel():
    parallel = DataParallel(2)
    yield parallel
    parallel.close()


def batch() -> TensorDict:
    x = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    return TensorDict({"x": x}, batch_size=[8])


def make(parallel: DataParallel, max_norm: float | None = None, dtype=torch.float32):
    torch.manual_seed(0)
    pair = Pair()
    optimizer = torch.optim.SGD(pair.parameters(), lr=0.1)
    compute_copy = ComputeCopy(pair.body, dtype)
    updates = Learner(optimizer, list(pair.parameters()), compute_copy, parallel, max_norm)

    def means(part):
        output = pair.head(compute_copy.like(part["x"].to(dtype)).float())
        return torch.stack((output.square().mean(), output.mean()))

    return pair, compute_copy, updates, means


def test_an_update_is_a_step_of_the_optimizer(parallel):
    pair, _, updates, means = make(parallel)
    expected, *_ = make(parallel)
    loss = expected.head(expected.body(batch()["x"])).square().mean()
    loss.backward()
    torch.optim.SGD(expected.parameters(), lr=0.1).step()
    found = updates.make(means, batch())
    for mine, theirs in zip(pair.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)
    norm = torch.cat([each.grad.flatten() for each in expected.parameters()]).norm()
    assert found[0] == pytest.approx(loss.item())
    assert found[-1] == pytest.approx(norm.item())


def test_long_gradients_are_clipped(parallel):
    pair, _, updates, means = make(parallel, max_norm=0.01)
    found = updates.make(means, batch())
    assert found[-1] > 0.01
    shortened = torch.cat([each.grad.flatten() for each in pair.parameters()]).norm()
    assert shortened.item() == pytest.approx(0.01, rel=1e-3)


def test_the_compute_copy_follows_updates(parallel):
    pair, compute_copy, updates, means = make(parallel, dtype=torch.bfloat16)
    before = compute_copy.like.weight.clone()
    updates.make(means, batch())
    assert not torch.equal(compute_copy.like.weight, before)
    assert torch.equal(compute_copy.like.weight, pair.body.weight.bfloat16())


def test_non_finite_updates_are_skipped_until_there_are_too_many(parallel):
    pair, _, updates, means = make(parallel)
    before = [each.clone() for each in pair.parameters()]
    broken = batch() * float("nan")
    for _ in range(MOST_SKIPPED - 1):
        assert updates.make(means, broken) is None
    assert all(map(torch.equal, before, pair.parameters()))
    with pytest.raises(FloatingPointError, match="10 updates in a row were not finite"):
        updates.make(means, broken)


def test_a_finite_update_resets_the_count(parallel):
    _, _, updates, means = make(parallel)
    updates.make(means, batch() * float("inf"))
    assert updates.skipped_in_a_row == 1
    updates.make(means, batch())
    assert updates.skipped_in_a_row == 0
