"""Adam and the length of a gradient, shared by threads, held against torch's."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.compute.adam import ParallelAdam, total_norm
from agents.compute.bindings import ThreadPool, is_compiled

pytestmark = pytest.mark.skipif(not is_compiled(), reason="the package was built without")

SHAPES = [(), (1,), (7,), (64, 3), (3, 5, 2, 2), (300, 333)]


@pytest.fixture(scope="module", params=[None, 1, 2, 3])
def pool(request) -> ThreadPool | None:
    return None if request.param is None else ThreadPool(request.param)


def parameters() -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(shape).requires_grad_() for shape in SHAPES]


def learn(optimizer: torch.optim.Optimizer, rounds: range) -> None:
    """Learn from gradients that are the same for the same rounds; some are always 0."""
    for number in rounds:
        torch.manual_seed(number)
        for each in optimizer.param_groups[0]["params"]:
            each.grad = torch.randn(each.shape) * (torch.rand(each.shape) < 0.9)
        optimizer.step()


def test_it_learns_what_torch_does(pool):
    ours, theirs = parameters(), parameters()
    learn(ParallelAdam(ours, pool, 1e-2, 1e-4), range(20))
    learn(torch.optim.Adam(theirs, 1e-2, eps=1e-4), range(20))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_each_goes_on_where_the_other_stopped(pool, first):
    other, whole = parameters(), parameters()
    learn(torch.optim.Adam(whole, 1e-2, eps=1e-4), range(6))
    makers = {
        "ours": lambda: ParallelAdam(other, pool, 1e-2, 1e-4),
        "theirs": lambda: torch.optim.Adam(other, 1e-2, eps=1e-4),
    }
    before, after = makers.pop(first)(), makers.popitem()[1]()
    learn(before, range(3))
    after.load_state_dict(before.state_dict())
    learn(after, range(3, 6))
    torch.testing.assert_close(other, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("first", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("then", [torch.channels_last, torch.contiguous_format])
def test_numbers_in_any_order_are_taken_for_what_they_are(pool, first, then):
    start = torch.randn(6, 5, 4, 3)
    ours = start.to(memory_format=first).clone().requires_grad_()
    theirs = start.clone().requires_grad_()
    pair = ParallelAdam([ours], pool, 1e-2, 1e-4), torch.optim.Adam([theirs], 1e-2, eps=1e-4)
    for optimizer, each, layout in zip(pair, (ours, theirs), (then, first), strict=True):
        for number in range(4):
            torch.manual_seed(number)
            each.grad = torch.randn(each.shape).to(memory_format=layout)
            optimizer.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_moments_that_were_saved_in_another_order_are_taken_for_what_they_are(pool):
    start, found = torch.randn(6, 5, 4, 3), []
    for layouts in (
        (torch.channels_last, torch.contiguous_format),
        (torch.contiguous_format, torch.contiguous_format),
    ):
        weight, state = start.clone(), None
        for layout in layouts:
            weight = weight.detach().to(memory_format=layout).requires_grad_()
            optimizer = ParallelAdam([weight], pool, 1e-2, 1e-4)
            if state:
                optimizer.load_state_dict(state)
            learn(optimizer, range(3))
            state = optimizer.state_dict()
        found.append(weight)
    torch.testing.assert_close(*found, rtol=1e-5, atol=1e-6)


def test_the_step_size_may_change(pool):
    ours, theirs = parameters(), parameters()
    pair = ParallelAdam(ours, pool, 1e-2, 1e-4), torch.optim.Adam(theirs, 1e-2, eps=1e-4)
    for optimizer in pair:
        learn(optimizer, range(2))
        optimizer.param_groups[0]["lr"] = 1e-3
        learn(optimizer, range(2, 4))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_a_parameter_without_a_gradient_stays_as_it_is(pool):
    ours = parameters()
    optimizer = ParallelAdam(ours, pool, 1e-2, 1e-4)
    learn(optimizer, range(2))
    before = ours[-1].clone()
    ours[-1].grad = None
    optimizer.step()
    assert torch.equal(ours[-1], before)


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=4), st.floats(0, 1e3, width=32))
def test_the_length_of_a_gradient_is_that_of_one_vector(pool, sizes, scale):
    torch.manual_seed(sum(sizes))
    gradients = [torch.randn(size) * scale for size in sizes]
    exact = torch.cat(gradients).double().norm().float()
    torch.testing.assert_close(total_norm(gradients, pool), exact, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bad", [torch.inf, torch.nan])
def test_a_gradient_that_is_not_finite_has_no_finite_length(pool, bad):
    gradients = [torch.ones(5), torch.tensor([1.0, bad])]
    assert not total_norm(gradients, pool).isfinite()


def test_of_gradients_in_any_order_too(pool):
    block = torch.rand(5, 3, 4, 2).to(memory_format=torch.channels_last)
    torch.testing.assert_close(total_norm([block], pool), block.norm())
