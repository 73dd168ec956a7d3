"""Compares Adam and the gradient norm, computed by several threads, with torch's."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.compute.adam import ParallelAdam, total_norm
from agents.compute.bindings import ThreadPool, is_compiled

pytestmark = pytest.mark.skipif(not is_compiled(), reason="the package is not compiled")

SHAPES = [(), (1,), (7,), (64, 3), (3, 5, 2, 2), (300, 333)]


@pytest.fixture(scope="module", params=[None, 1, 2, 3])
def pool(request) -> ThreadPool | None:
    return None if request.param is None else ThreadPool(request.param)


def make_parameters() -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(shape).requires_grad_() for shape in SHAPES]


def run_steps(optimizer: torch.optim.Optimizer, steps: range) -> None:
    """Make steps with gradients that depend on the step's number only; some elements are 0."""
    for number in steps:
        torch.manual_seed(number)
        for parameter in optimizer.param_groups[0]["params"]:
            parameter.grad = torch.randn(parameter.shape) * (torch.rand(parameter.shape) < 0.9)
        optimizer.step()


def test_it_equals_torchs_adam(pool):
    actual, expected = make_parameters(), make_parameters()
    run_steps(ParallelAdam(actual, 1e-2, 1e-4, pool), range(20))
    run_steps(torch.optim.Adam(expected, 1e-2, eps=1e-4), range(20))
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("first", ["parallel", "torch"])
def test_its_state_and_torchs_are_interchangeable(pool, first):
    actual, expected = make_parameters(), make_parameters()
    run_steps(torch.optim.Adam(expected, 1e-2, eps=1e-4), range(6))
    factories = {
        "parallel": lambda: ParallelAdam(actual, 1e-2, 1e-4, pool),
        "torch": lambda: torch.optim.Adam(actual, 1e-2, eps=1e-4),
    }
    before, after = factories.pop(first)(), factories.popitem()[1]()
    run_steps(before, range(3))
    after.load_state_dict(before.state_dict())
    run_steps(after, range(3, 6))
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("parameter_format", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("gradient_format", [torch.channels_last, torch.contiguous_format])
def test_memory_formats_of_parameter_and_gradient_may_differ(
    pool, parameter_format, gradient_format
):
    start = torch.randn(6, 5, 4, 3)
    actual = start.to(memory_format=parameter_format).clone().requires_grad_()
    expected = start.clone().requires_grad_()
    optimizers = (
        ParallelAdam([actual], 1e-2, 1e-4, pool),
        torch.optim.Adam([expected], 1e-2, eps=1e-4),
    )
    formats = (gradient_format, parameter_format)
    for optimizer, parameter, memory_format in zip(
        optimizers, (actual, expected), formats, strict=True
    ):
        for number in range(4):
            torch.manual_seed(number)
            parameter.grad = torch.randn(parameter.shape).to(memory_format=memory_format)
            optimizer.step()
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)


def test_moments_saved_in_another_memory_format_are_loaded_correctly(pool):
    start, results = torch.randn(6, 5, 4, 3), []
    for formats in (
        (torch.channels_last, torch.contiguous_format),
        (torch.contiguous_format, torch.contiguous_format),
    ):
        weight, state = start.clone(), None
        for memory_format in formats:
            weight = weight.detach().to(memory_format=memory_format).requires_grad_()
            optimizer = ParallelAdam([weight], 1e-2, 1e-4, pool)
            if state:
                optimizer.load_state_dict(state)
            run_steps(optimizer, range(3))
            state = optimizer.state_dict()
        results.append(weight)
    torch.testing.assert_close(*results, rtol=1e-5, atol=1e-6)


def test_the_learning_rate_may_change_between_steps(pool):
    actual, expected = make_parameters(), make_parameters()
    for optimizer in (
        ParallelAdam(actual, 1e-2, 1e-4, pool),
        torch.optim.Adam(expected, 1e-2, eps=1e-4),
    ):
        run_steps(optimizer, range(2))
        optimizer.param_groups[0]["lr"] = 1e-3
        run_steps(optimizer, range(2, 4))
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)


def test_a_parameter_without_a_gradient_is_unchanged(pool):
    parameters = make_parameters()
    optimizer = ParallelAdam(parameters, 1e-2, 1e-4, pool)
    run_steps(optimizer, range(2))
    before = parameters[-1].clone()
    parameters[-1].grad = None
    optimizer.step()
    assert torch.equal(parameters[-1], before)


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=4), st.floats(0, 1e3, width=32))
def test_the_total_norm_is_that_of_all_gradients_concatenated(pool, sizes, scale):
    torch.manual_seed(sum(sizes))
    gradients = [torch.randn(size) * scale for size in sizes]
    expected = torch.cat(gradients).double().norm().float()
    torch.testing.assert_close(total_norm(gradients, pool), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("value", [torch.inf, torch.nan])
def test_the_norm_of_a_non_finite_gradient_is_not_finite(pool, value):
    gradients = [torch.ones(5), torch.tensor([1.0, value])]
    assert not total_norm(gradients, pool).isfinite()


def test_the_norm_of_a_channels_last_gradient_is_torchs(pool):
    gradient = torch.rand(5, 3, 4, 2).to(memory_format=torch.channels_last)
    torch.testing.assert_close(total_norm([gradient], pool), gradient.norm())
