from __future__ import annotations

import threading

import pytest
import torch
from tensordict import TensorDict

from agents.compute.data_parallel import DataParallel

WEIGHT = torch.tensor([1.0, -2.0, 3.0])


@pytest.fixture
def data_parallel():
    made = []

    def make(threads: int) -> DataParallel:
        made.append(DataParallel(threads))
        return made[-1]

    yield make
    for each in made:
        each.close()


def rows(count: int) -> TensorDict:
    generator = torch.Generator().manual_seed(0)
    return TensorDict({"x": torch.rand(count, 3, generator=generator)}, batch_size=[count])


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [1, 2, 7, 32])
def test_parts_add_up_to_the_means_and_the_gradient_of_the_batch(data_parallel, threads, count):
    weight, batch = WEIGHT.clone().requires_grad_(), rows(count)

    def loss_fn(part):
        outputs = part["x"] @ weight
        return {"output": outputs.mean(), "loss": outputs.square().mean()}

    means, gradients = data_parallel(threads).gradients(loss_fn, batch, [weight])
    expected = loss_fn(batch)
    torch.testing.assert_close(means, {name: mean.detach() for name, mean in expected.items()})
    torch.testing.assert_close(gradients, list(torch.autograd.grad(expected["loss"], weight)))
    assert not any(mean.requires_grad for mean in means.values())


@pytest.mark.parametrize("threads", [2, 3])
def test_gradients_of_any_shape_and_memory_format_are_added(data_parallel, threads):
    scalar, vector = (torch.tensor(each, requires_grad=True) for each in (2.0, [1.0, 2.0, 3.0]))
    block = torch.rand(5, 3, 1, 2).to(memory_format=torch.channels_last).requires_grad_()
    parameters, batch = [scalar, vector, block], rows(6)

    def loss_fn(part):
        rest = (part["x"] @ block[..., 0, 0].T).sum(1)
        return {"loss": (scalar * (part["x"] @ vector) + rest).mean()}

    _, gradients = data_parallel(threads).gradients(loss_fn, batch, parameters)
    expected = torch.autograd.grad(loss_fn(batch)["loss"], parameters)
    torch.testing.assert_close(gradients, list(expected))


@pytest.mark.parametrize("threads", [1, 3])
def test_gradients_are_added_in_float32(data_parallel, threads):
    weight = WEIGHT.bfloat16().requires_grad_()
    _, gradients = data_parallel(threads).gradients(
        lambda part: {"loss": (part["x"].bfloat16() @ weight).float().mean()}, rows(6), [weight]
    )
    assert [gradient.dtype for gradient in gradients] == [torch.float32]
    torch.testing.assert_close(gradients[0], rows(6)["x"].mean(dim=0), rtol=0.02, atol=0)


def test_a_loss_scale_multiplies_the_gradients_but_not_the_means(data_parallel):
    weight = WEIGHT.clone().requires_grad_()

    def loss_fn(part):
        return {"loss": (part["x"] @ weight).square().mean()}

    plain, scaled = (
        data_parallel(2).gradients(loss_fn, rows(6), [weight], loss_scale=scale)
        for scale in (1.0, 0.25)
    )
    assert torch.equal(scaled[1][0], plain[1][0] / 4)
    assert scaled[0] == plain[0]


def test_each_part_has_its_own_thread_and_all_run_at_the_same_time(data_parallel):
    weight, barrier, calls = WEIGHT.clone().requires_grad_(), threading.Barrier(3, timeout=10), []

    def loss_fn(part):
        barrier.wait()
        calls.append((threading.get_ident(), len(part)))
        return {"loss": (part["x"] @ weight).mean()}

    data_parallel(3).gradients(loss_fn, rows(6), [weight])
    assert len({thread for thread, _ in calls}) == 3
    assert [length for _, length in calls] == [2, 2, 2]


@pytest.mark.parametrize("last", range(4))
def test_the_sum_is_the_same_whichever_part_finishes_last(data_parallel, last):
    weight, batch, parallel = WEIGHT.clone().requires_grad_(), rows(32), data_parallel(4)
    others, others_done = threading.Barrier(3, timeout=10), threading.Event()

    def loss_fn(part):
        if torch.equal(part["x"], batch["x"][8 * last : 8 * last + 8]):
            others_done.wait(10)
        elif others.wait() == 0:
            others_done.set()
        return {"loss": mean_square(part["x"], weight)}

    _, (gradient,) = parallel.gradients(loss_fn, batch, [weight])
    parts = [
        torch.autograd.grad(mean_square(part["x"], weight) / 4, weight)[0]
        for part in batch.chunk(4)
    ]
    assert torch.equal(gradient, ((parts[0] + parts[1]) + parts[2]) + parts[3])


def mean_square(inputs: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (inputs @ weight).square().mean()


def test_an_error_in_a_part_is_raised(data_parallel):
    def loss_fn(part):
        raise ValueError(f"{len(part)} rows are too few")

    with pytest.raises(ValueError, match="1 rows are too few"):
        data_parallel(2).gradients(loss_fn, rows(2), [WEIGHT.clone().requires_grad_()])
