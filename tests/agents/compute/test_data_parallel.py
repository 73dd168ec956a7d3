from __future__ import annotations

import threading

import pytest
import torch
from tensordict import TensorDict

from agents.compute.data_parallel import DataParallel

WEIGHT = torch.tensor([1.0, -2.0, 3.0])


@pytest.fixture
def crews():
    made = []

    def make(threads: int) -> DataParallel:
        made.append(DataParallel(threads))
        return made[-1]

    yield make
    for parallel in made:
        parallel.close()


def rows(count: int) -> TensorDict:
    generator = torch.Generator().manual_seed(0)
    return TensorDict({"x": torch.rand(count, 3, generator=generator)}, batch_size=[count])


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
@pytest.mark.parametrize("count", [1, 2, 7, 32])
def test_gradients_of_the_parts_sum_to_that_of_the_batch(crews, threads, count):
    weight, batch = WEIGHT.clone().requires_grad_(), rows(count)

    def means(part):
        outputs = part["x"] @ weight
        return torch.stack((outputs.square().mean(), outputs.mean()))

    found, gradients = crews(threads).gradients(means, batch, [weight])
    expected = means(batch)
    torch.testing.assert_close(found, expected.detach())
    torch.testing.assert_close(gradients, list(torch.autograd.grad(expected[0], weight)))
    assert not found.requires_grad


@pytest.mark.parametrize("threads", [2, 3])
def test_gradients_of_any_shape_and_layout_are_summed(crews, threads):
    scalar, line = (torch.tensor(each, requires_grad=True) for each in (2.0, [1.0, 2.0, 3.0]))
    block = torch.rand(5, 3, 1, 2).to(memory_format=torch.channels_last).requires_grad_()
    weights, batch = [scalar, line, block], rows(6)

    def means(part):
        return (scalar * (part["x"] @ line) + (part["x"] @ block[..., 0, 0].T).sum(1)).mean()[None]

    _, gradients = crews(threads).gradients(means, batch, weights)
    torch.testing.assert_close(gradients, list(torch.autograd.grad(means(batch)[0], weights)))


@pytest.mark.parametrize("threads", [1, 3])
def test_gradients_are_summed_in_float32(crews, threads):
    weight = WEIGHT.bfloat16().requires_grad_()
    _, gradients = crews(threads).gradients(
        lambda part: (part["x"].bfloat16() @ weight).float().mean()[None], rows(6), [weight]
    )
    assert [each.dtype for each in gradients] == [torch.float32]
    torch.testing.assert_close(gradients[0], rows(6)["x"].mean(dim=0), rtol=0.02, atol=0)


def test_parts_run_concurrently_in_separate_threads(crews):
    weight, meeting, seen = WEIGHT.clone().requires_grad_(), threading.Barrier(3, timeout=10), []

    def means(part):
        meeting.wait()
        seen.append((threading.get_ident(), len(part)))
        return (part["x"] @ weight).mean()[None]

    crews(3).gradients(means, rows(6), [weight])
    assert len({thread for thread, _ in seen}) == 3
    assert [length for _, length in seen] == [2, 2, 2]


@pytest.mark.parametrize("late", range(4))
def test_the_sum_does_not_depend_on_thread_timing(crews, late):
    weight, batch, parallel = WEIGHT.clone().requires_grad_(), rows(32), crews(4)
    done, others_done = threading.Barrier(3, timeout=10), threading.Event()

    def means(part):
        if torch.equal(part["x"], batch["x"][8 * late : 8 * late + 8]):
            others_done.wait(10)
        elif done.wait() == 0:
            others_done.set()
        return square(part["x"], weight)[None]

    _, (gradient,) = parallel.gradients(means, batch, [weight])
    parts = [
        torch.autograd.grad(square(part["x"], weight) / 4, weight)[0] for part in batch.chunk(4)
    ]
    assert torch.equal(gradient, ((parts[0] + parts[1]) + parts[2]) + parts[3])


def square(inputs: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (inputs @ weight).square().mean()


def test_exceptions_in_threads_are_raised(crews):
    def means(part):
        raise ValueError(f"{len(part)} rows are too few")

    with pytest.raises(ValueError, match="1 rows are too few"):
        crews(2).gradients(means, rows(2), [WEIGHT.clone().requires_grad_()])
