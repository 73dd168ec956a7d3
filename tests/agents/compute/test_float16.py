"""Layers in compiled 16-bit arithmetic, held against torch's in float64 and float32."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from agents.compute import bindings
from agents.compute.bindings import ThreadPool, supports_float16
from agents.compute.float16 import Float16Linear, Float16NatureCNN, float16_layers, to_float16
from agents.compute.precision import ComputeCopy
from agents.networks.nature_cnn import NatureCNN
from agents.networks.q_network import QNetwork

needs_halves = pytest.mark.skipif(
    not supports_float16(), reason="this processor cannot compute in float16"
)


def pixels(count: int, side: int = 84, most: int = 255) -> torch.Tensor:
    generator = torch.Generator().manual_seed(count)
    shape = count, 4, side, side
    return torch.randint(0, most + 1, shape, dtype=torch.uint8, generator=generator)


def sparse(*shape: int, share: float) -> torch.Tensor:
    """Mostly 0, sometimes 1 or -1: sums of products of those are exact in 16 bits."""
    return (torch.rand(shape) < share) * torch.randn(shape).sign()


@pytest.fixture(scope="module", params=[1, 2, 3])
def pool(request) -> ThreadPool:
    return ThreadPool(request.param)


def gradients(network: nn.Module, out: torch.Tensor, back: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(out, list(network.parameters()), back))


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@needs_halves
class TestExactly:
    """With numbers that 16 bits hold exactly, nothing is rounded and all has to be equal."""

    @pytest.mark.parametrize("side", [36, 48, 84, 87, 100])
    @pytest.mark.parametrize("count", [1, 4, 7])
    def test_convolutions_and_their_gradients_are_those_of_torch(self, count, side, pool):
        network = NatureCNN((4, side, side))
        with torch.no_grad():
            for layer, share in zip((0, 2, 4), (0.05, 0.02, 0.02), strict=True):
                network[layer].weight.copy_(sparse(*network[layer].weight.shape, share=share))
                network[layer].bias.copy_(sparse(len(network[layer].bias), share=0.5))
            network[0].weight *= 255 / 256  # of pixels over 255, and those over 256 are exact
        states = pixels(count, side, most=1) * 128
        ours, exact = Float16NatureCNN(network, side, pool), copy.deepcopy(network).double()
        features, truth = ours(states), exact(states)
        torch.testing.assert_close(features.double(), truth, rtol=0, atol=1e-6)
        assert truth.count_nonzero() > truth.numel() / 100
        back = sparse(*features.shape, share=0.05)
        for found, wanted in zip(
            gradients(ours, features, back), gradients(exact, truth, back.double()), strict=True
        ):
            torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize("count", [1, 2, 6, 8, 31, 64, 200])
    @pytest.mark.parametrize("outputs", [1, 5, 96])
    @pytest.mark.parametrize("inputs", [64, 1024, 3136])
    def test_a_linear_layer_and_its_gradients_are_torchs(self, count, outputs, inputs, pool):
        layer = nn.Linear(inputs, outputs)
        with torch.no_grad():
            layer.weight.copy_(sparse(outputs, inputs, share=0.2))
        ours, values = Float16Linear(layer, pool), sparse(count, inputs, share=0.2).requires_grad_()
        back = sparse(count, outputs, share=0.5)
        found = [
            ours(values),
            *torch.autograd.grad(ours(values), [values, *ours.parameters()], back),
        ]
        wanted = [
            layer(values),
            *torch.autograd.grad(layer(values), [values, *layer.parameters()], back),
        ]
        for mine, theirs in zip(found, wanted, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-4)


@needs_halves
class TestNearly:
    def test_it_rounds_less_than_bfloat16_does(self):
        network, states = QNetwork((4, 84, 84), 5, dueling=True), pixels(32)
        back = torch.randn(32, 5)

        def learned(network: nn.Module, back: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            """Values, and the gradients of all that learns in one vector."""
            values = network.online_head(network.features(states))
            learning = [each for each in network.parameters() if each.requires_grad]
            found = torch.autograd.grad(values, learning, back.to(values.dtype))
            return values.double(), torch.cat([each.double().flatten() for each in found])

        exact = learned(copy.deepcopy(network).double(), back)
        halves, bfloats = (
            [
                ((mine - theirs).norm() / theirs.norm()).item()
                for mine, theirs in zip(
                    learned(ComputeCopy(network, dtype).like, back), exact, strict=True
                )
            ]
            for dtype in (torch.float16, torch.bfloat16)
        )
        assert halves[0] < 0.5 * bfloats[0]
        assert halves[1] < bfloats[1]

    @pytest.mark.parametrize("size", [2.0**-40, 1.0, 2.0**27])
    def test_gradients_of_any_size_are_kept_within_range(self, size):
        ours, states = Float16NatureCNN(NatureCNN((4, 84, 84)), 84, ThreadPool(2)), pixels(2)
        features = ours(states)
        back = torch.randn(features.shape)
        once, scaled = (gradients(ours, ours(states), back * each) for each in (1.0, size))
        for mine, theirs in zip(once, scaled, strict=True):
            torch.testing.assert_close(mine, theirs / size, rtol=1e-6, atol=1e-6)

    def test_what_is_not_finite_comes_out_as_that(self):
        layer = Float16Linear(nn.Linear(1024, 4), ThreadPool(2))
        values = torch.ones(2, 1024, requires_grad=True)
        (found,) = torch.autograd.grad(layer(values), [values], torch.full((2, 4), torch.nan))
        assert found.isnan().all()

    def test_no_gradient_is_none(self):
        ours, states = Float16NatureCNN(NatureCNN((4, 84, 84)), 84, ThreadPool(2)), pixels(2)
        found = gradients(ours, ours(states), torch.zeros(2, ours.num_features))
        assert not any(each.any() for each in found)


@needs_halves
class TestInHalves:
    def test_a_state_may_lie_among_other_frames(self):
        ours, many = Float16NatureCNN(NatureCNN((4, 84, 84)), 84, ThreadPool(2)), pixels(3)
        wide = torch.cat((many, many), dim=1)
        for states in (wide[:, :4], wide[:, 2:6], wide[::2, 1:5], wide[:, :4].transpose(2, 3)):
            assert torch.equal(ours(states), ours(states.contiguous()))

    def test_parameters_are_shared_and_in_the_same_order(self):
        network = QNetwork((4, 84, 84), 5, separate_target=True, dueling=True)
        ours = to_float16(network, ThreadPool())
        for mine, theirs in zip(ours.parameters(), network.parameters(), strict=True):
            assert mine is theirs
        assert isinstance(ours.features, Float16NatureCNN)
        assert isinstance(ours.target_features, Float16NatureCNN)
        assert isinstance(network.features, NatureCNN)

    @pytest.mark.parametrize("shape", [(1, 84, 84), (4, 84, 96)])
    def test_states_that_it_cannot_see_are_left_to_torch(self, shape):
        assert isinstance(to_float16(QNetwork(shape, 3), ThreadPool()).features, NatureCNN)

    @pytest.mark.parametrize(
        "layer", [nn.Linear(1024, 4, bias=False), nn.Linear(1056, 4), nn.Linear(512, 4)]
    )
    def test_layers_that_it_cannot_compute_or_need_not_are_left_to_torch(self, layer):
        assert type(to_float16(layer, ThreadPool())) is nn.Linear
        assert type(to_float16(nn.Linear(1024, 4), ThreadPool())) is Float16Linear

    def test_layers_compute_with_what_they_were_refreshed_with(self):
        network = QNetwork((4, 84, 84), 3)
        ours, states = to_float16(network, ThreadPool()), pixels(2)
        before = ours.online(states)
        with torch.no_grad():
            network.features[2].weight += 0.01
            network.online_head[0].weight += 0.01
        assert torch.equal(ours.online(states), before)
        layers = float16_layers(ours)
        assert len(layers) == 3, "the convolutions, and a wide layer of each head"
        for layer in layers:
            layer.refresh()
        assert not torch.equal(ours.online(states), before)
        torch.testing.assert_close(ours.online(states), network.online(states), rtol=0, atol=0.01)


@needs_halves
@pytest.mark.parametrize("count", [1, 7, 33])
def test_the_same_numbers_come_of_any_number_of_threads(count):
    network, states = QNetwork((4, 84, 84), 5, dueling=True), pixels(count)
    back = torch.randn(count, 5)

    def learned(threads: int) -> list[torch.Tensor]:
        """Values, and the gradients of all that learns."""
        ours = to_float16(network, ThreadPool(threads))
        learning = [each for each in ours.parameters() if each.requires_grad]
        values = ours.online(states)
        return [values, *torch.autograd.grad(values, learning, back)]

    alone = learned(1)
    for threads in (2, 3, 11):
        assert all(map(torch.equal, learned(threads), alone))


def test_without_the_build_there_are_no_halves(monkeypatch):
    monkeypatch.setattr(bindings, "_library", lambda: None)
    assert not supports_float16()
