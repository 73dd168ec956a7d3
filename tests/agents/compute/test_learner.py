"""Updates of a learner: gradients, clipping, precision, skipped updates and saved state."""

from __future__ import annotations

import io
import logging

import pytest
import torch
from tensordict import TensorDict
from torch import nn

from agents.compute import learner as learner_module
from agents.compute import precision
from agents.compute.adam import ParallelAdam
from agents.compute.learner import MAX_SKIPPED_UPDATES, Learner


class Body(nn.Linear):
    """A layer that accepts float32 inputs in every dtype."""

    dtype_agnostic = True

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return super().forward(inputs.to(self.weight.dtype))


class BodyAndHead(nn.Module):
    """A body that computes in the precision of learning, and a head in float32."""

    def __init__(self, body=Body) -> None:
        super().__init__()
        self.body = body(2, 2)
        self.head = nn.Linear(2, 1)


def batch(seed: int = 0) -> TensorDict:
    x = torch.randn(8, 2, generator=torch.Generator().manual_seed(seed))
    return TensorDict({"x": x}, batch_size=[8])


@pytest.fixture
def make():
    """Makes a network, its learner and its loss function, and closes the learner."""
    learners = []

    def make(body=Body, optimizer=torch.optim.SGD, threads=2, **kwargs):
        torch.manual_seed(0)
        network = BodyAndHead(body)
        learner = Learner(
            network.body, optimizer(network.parameters(), lr=0.1), threads=threads, **kwargs
        )
        learners.append(learner)

        def loss_fn(part):
            outputs = network.head(learner.compute_network(part["x"]).float())
            return {"loss": outputs.square().mean(), "output": outputs.mean()}

        return network, learner, loss_fn

    yield make
    for learner in learners:
        learner.close()


def weights(network: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def test_an_update_is_an_optimizer_step_with_the_mean_gradient(make):
    network, learner, loss_fn = make()
    expected, *_ = make()
    loss = expected.head(expected.body(batch()["x"])).square().mean()
    loss.backward()
    torch.optim.SGD(expected.parameters(), lr=0.1).step()
    scalars = learner.update(loss_fn, batch())
    torch.testing.assert_close(weights(network), weights(expected))
    norm = torch.cat([parameter.grad.flatten() for parameter in expected.parameters()]).norm()
    assert list(scalars) == ["loss", "output", "grad_norm"]
    assert scalars["loss"] == pytest.approx(loss.item())
    assert scalars["grad_norm"] == pytest.approx(norm.item())


def test_a_long_gradient_is_clipped_and_its_norm_reported_unclipped(make):
    network, learner, loss_fn = make(max_grad_norm=0.01)
    assert learner.update(loss_fn, batch())["grad_norm"] > 0.01
    clipped = torch.cat([parameter.grad.flatten() for parameter in network.parameters()]).norm()
    assert clipped.item() == pytest.approx(0.01, rel=1e-3)


def test_accumulated_gradients_are_summed_with_their_weights(make):
    network, learner, loss_fn = make()
    expected, _, expected_loss = make()
    total = 2 * expected_loss(batch(0))["loss"] + 3 * expected_loss(batch(1))["loss"]
    gradients = torch.autograd.grad(total, list(expected.parameters()))
    means = [learner.accumulate(loss_fn, batch(seed), weight=2 + seed) for seed in (0, 1)]
    scalars = learner.step()
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    mean = sum(each["loss"].item() for each in means) / 2
    assert scalars["loss"] == pytest.approx(mean)
    assert learner.update(loss_fn, batch()) is not None, "the sum starts anew after a step"


def test_the_learning_rate_is_set_for_all_parameters(make):
    _, learner, _ = make()
    learner.set_learning_rate(0.5)
    assert {group["lr"] for group in learner.optimizer.param_groups} == {0.5}


def test_parallel_adam_uses_the_threads_of_the_learner(make):
    def adam(parameters, lr):
        return ParallelAdam(parameters, lr, eps=1e-8)

    _, learner, loss_fn = make(optimizer=adam)
    assert learner.optimizer.pool is learner._parallel.pool
    assert learner.update(loss_fn, batch()) is not None


class TestPrecision:
    def test_the_compute_copy_follows_updates_and_loaded_weights(self, make):
        network, learner, loss_fn = make(precision="bfloat16")
        before = learner.compute_network.weight.clone()
        assert before.dtype is torch.bfloat16
        learner.update(loss_fn, batch())
        assert not torch.equal(learner.compute_network.weight, before)
        assert torch.equal(learner.compute_network.weight, network.body.weight.bfloat16())
        nn.init.ones_(network.body.weight)
        learner.sync()
        assert learner.compute_network.weight.unique().tolist() == [1.0]

    @pytest.mark.parametrize("name", ["bfloat16", "float16"])
    def test_a_network_without_a_fast_path_says_so_once_and_learns(
        self, make, name, monkeypatch, caplog
    ):
        monkeypatch.setattr(precision, "supports_float16", lambda: True)
        with caplog.at_level(logging.WARNING):
            network, learner, loss_fn = make(body=nn.Linear, precision=name)
            losses = [learner.update(loss_fn, batch())["loss"] for _ in range(20)]
        (record,) = caplog.records
        assert record.getMessage() == (
            f"Linear has no implementation in torch.{name} and learns in float32"
        )
        assert losses[-1] < 0.5 * losses[0]
        assert learner.compute_network is network.body

    def test_a_resumed_run_keeps_the_precision_that_auto_chose(self, make, monkeypatch):
        monkeypatch.setattr(learner_module, "resolve_precision", lambda *_: torch.bfloat16)
        state = make(precision="auto")[1].state_dict()
        monkeypatch.undo()
        _, learner, _ = make(precision="float32")
        learner.load_state_dict(state)
        assert learner.compute_network.weight.dtype is torch.bfloat16

    def test_a_precision_that_the_hardware_lacks_is_refused_in_one_line(self, make, monkeypatch):
        monkeypatch.setattr(precision, "supports_float16", lambda: False)
        _, learner, _ = make()
        state = learner.state_dict() | {"precision": "float16"}
        with pytest.raises(ValueError, match="the run learns in float16, which this cpu .* resume"):
            learner.load_state_dict(state)


class TestNotFinite:
    def test_updates_are_skipped_until_there_are_too_many_in_a_row(self, make):
        network, learner, loss_fn = make()
        before, broken = weights(network), batch() * float("nan")
        for _ in range(MAX_SKIPPED_UPDATES - 1):
            assert learner.update(loss_fn, broken) is None
        assert torch.equal(weights(network), before)
        with pytest.raises(FloatingPointError, match=r"10 updates in a row .* \(loss nan, grad"):
            learner.update(loss_fn, broken)

    def test_a_finite_update_resets_the_count(self, make):
        _, learner, loss_fn = make()
        learner.update(loss_fn, batch() * float("inf"))
        assert learner.skipped_in_a_row == 1
        learner.update(loss_fn, batch())
        assert learner.skipped_in_a_row == 0

    def test_an_infinite_loss_is_skipped_though_its_gradient_is_finite(self, make):
        _, learner, loss_fn = make()

        def infinite(part):
            means = loss_fn(part)
            return means | {"loss": means["loss"] + float("inf")}

        assert learner.update(infinite, batch()) is None


class TestLossScale:
    def test_a_scale_changes_no_gradient(self, make):
        (plain, learner, loss_fn), (scaled, other, other_loss_fn) = make(), make()
        other._loss_scale.value = 0.25
        for _ in range(3):
            assert learner.update(loss_fn, batch()) == other.update(other_loss_fn, batch())
        assert torch.equal(weights(plain), weights(scaled))

    @pytest.mark.parametrize(("name", "scale"), [("float32", 1.0), ("float16", 0.5)])
    def test_only_float16_backs_off_when_a_gradient_overflows(self, make, name, scale, monkeypatch):
        monkeypatch.setattr(precision, "supports_float16", lambda: True)
        _, learner, loss_fn = make(precision=name)
        learner.update(loss_fn, batch() * float("inf"))
        assert learner.state_dict()["loss_scale"]["value"] == scale


def test_a_learner_resumes_exactly_in_the_middle_of_a_sum(make):
    def run(network, learner, loss_fn):
        for seed in (3, 4):
            learner.accumulate(loss_fn, batch(seed))
        scalars = learner.step()
        return scalars["grad_norm"], weights(network)

    adam = torch.optim.Adam
    network, learner, loss_fn = make(optimizer=adam, precision="bfloat16")
    learner.update(loss_fn, batch())
    learner.update(loss_fn, batch() * float("nan"))
    learner.accumulate(loss_fn, batch(2))
    file = io.BytesIO()
    torch.save([network.state_dict(), learner.state_dict()], file)
    file.seek(0)
    resumed_network, resumed, resumed_loss_fn = make(optimizer=adam, precision="bfloat16")
    network_state, learner_state = torch.load(file, weights_only=True)
    resumed_network.load_state_dict(network_state)
    resumed.sync()
    resumed.load_state_dict(learner_state)
    assert resumed.skipped_in_a_row == 1
    norm, end = run(network, learner, loss_fn)
    resumed_norm, resumed_end = run(resumed_network, resumed, resumed_loss_fn)
    assert norm == resumed_norm
    assert torch.equal(end, resumed_end)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("name", ["float32", "bfloat16"])
def test_an_update_on_a_gpu_is_that_on_a_cpu(name):
    weights_after = []
    for device in ("cpu", "cuda"):
        torch.manual_seed(0)
        network = Body(2, 2).to(device)
        learner = Learner(network, torch.optim.SGD(network.parameters(), lr=0.1), name)

        def loss_fn(part, learner=learner):
            return {"loss": learner.compute_network(part["x"]).float().square().mean()}

        learner.update(loss_fn, batch().to(device))
        weights_after.append(weights(network).cpu())
        learner.close()
    torch.testing.assert_close(*weights_after, rtol=1e-2, atol=1e-3)


def test_a_step_can_be_performed_elsewhere_with_the_same_result(make):
    network, learner, loss_fn = make(max_grad_norm=0.01)
    other, driver, _ = make(max_grad_norm=0.01)
    other.load_state_dict(network.state_dict())

    def exchange(gradients, means):
        scalars = driver.apply(
            gradients, {name: torch.tensor(mean) for name, mean in means.items()}
        )
        network.load_state_dict(other.state_dict())
        return scalars

    alone, own, own_loss_fn = make(max_grad_norm=0.01)
    alone.load_state_dict(network.state_dict())
    learner.exchange = exchange
    assert learner.update(loss_fn, batch()) == own.update(own_loss_fn, batch())
    assert all(map(torch.equal, network.parameters(), alone.parameters()))
