"""Compares the compiled float16 layers with torch's layers in float64 and float32."""

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

needs_float16 = pytest.mark.skipif(
    not supports_float16(), reason="this processor cannot compute in float16"
)


def random_states(count: int, side: int = 84, highest: int = 255) -> torch.Tensor:
    generator = torch.Generator().manual_seed(count)
    shape = count, 4, side, side
    return torch.randint(0, highest + 1, shape, dtype=torch.uint8, generator=generator)


def sparse(*shape: int, density: float) -> torch.Tensor:
    """Return mostly 0, sometimes 1 or -1: sums of products of these are exact in float16."""
    return (torch.rand(shape) < density) * torch.randn(shape).sign()


@pytest.fixture(scope="module", params=[1, 2, 3])
def pool(request) -> ThreadPool:
    return ThreadPool(request.param)


def parameter_gradients(
    network: nn.Module, outputs: torch.Tensor, grad_outputs: torch.Tensor
) -> list[torch.Tensor]:
    return list(torch.autograd.grad(outputs, list(network.parameters()), grad_outputs))


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@needs_float16
class TestExactInputs:
    """With inputs that are exact in float16, nothing is rounded and results equal torch's."""

    @pytest.mark.parametrize("side", [36, 48, 84, 87, 100])
    @pytest.mark.parametrize("count", [1, 4, 7])
    def test_convolutions_and_their_gradients_equal_torchs(self, count, side, pool):
        network = NatureCNN((4, side, side))
        with torch.no_grad():
            for layer, density in zip((0, 2, 4), (0.05, 0.02, 0.02), strict=True):
                network[layer].weight.copy_(sparse(*network[layer].weight.shape, density=density))
                network[layer].bias.copy_(sparse(len(network[layer].bias), density=0.5))
            # torch divides pixels by 255, the compiled code by 256; both products are exact
            network[0].weight *= 255 / 256
        states = random_states(count, side, highest=1) * 128
        compiled, exact = Float16NatureCNN(network, side, pool), copy.deepcopy(network).double()
        features, expected_features = compiled(states), exact(states)
        torch.testing.assert_close(features.double(), expected_features, rtol=0, atol=1e-6)
        assert expected_features.count_nonzero() > expected_features.numel() / 100
        grad_features = sparse(*features.shape, density=0.05)
        for actual, expected in zip(
            parameter_gradients(compiled, features, grad_features),
            parameter_gradients(exact, expected_features, grad_features.double()),
            strict=True,
        ):
            torch.testing.assert_close(actual.double(), expected, rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize("count", [1, 2, 6, 8, 31, 64, 200])
    @pytest.mark.parametrize("outputs", [1, 5, 96])
    @pytest.mark.parametrize("inputs", [64, 1024, 3136])
    def test_a_linear_layer_and_its_gradients_equal_torchs(self, count, outputs, inputs, pool):
        layer = nn.Linear(inputs, outputs)
        with torch.no_grad():
            layer.weight.copy_(sparse(outputs, inputs, density=0.2))
        compiled = Float16Linear(layer, pool)
        values = sparse(count, inputs, density=0.2).requires_grad_()
        grad_outputs = sparse(count, outputs, density=0.5)
        results = [
            [
                each(values),
                *torch.autograd.grad(each(values), [values, *each.parameters()], grad_outputs),
            ]
            for each in (compiled, layer)
        ]
        for actual, expected in zip(*results, strict=True):
            torch.testing.assert_close(actual, expected, rtol=1e-6, atol=1e-4)


@needs_float16
class TestRounding:
    def test_errors_are_smaller_than_those_of_bfloat16(self):
        network, states = QNetwork((4, 84, 84), 5, dueling=True), random_states(32)
        grad_values = torch.randn(32, 5)

        def values_and_gradient(
            network: nn.Module, grad_values: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            """Return the Q values, and all gradients concatenated."""
            values = network.online_head(network.features(states))
            parameters = [each for each in network.parameters() if each.requires_grad]
            gradients = torch.autograd.grad(values, parameters, grad_values.to(values.dtype))
            return values.double(), torch.cat([each.double().flatten() for each in gradients])

        exact = values_and_gradient(copy.deepcopy(network).double(), grad_values)
        float16_errors, bfloat16_errors = (
            [
                ((actual - expected).norm() / expected.norm()).item()
                for actual, expected in zip(
                    values_and_gradient(ComputeCopy(network, dtype).like, grad_values),
                    exact,
                    strict=True,
                )
            ]
            for dtype in (torch.float16, torch.bfloat16)
        )
        assert float16_errors[0] < 0.5 * bfloat16_errors[0]
        assert float16_errors[1] < bfloat16_errors[1]

    @pytest.mark.parametrize("size", [2.0**-40, 1.0, 2.0**27])
    def test_gradients_of_any_magnitude_stay_within_range(self, size):
        layer = Float16NatureCNN(NatureCNN((4, 84, 84)), 84, ThreadPool(2))
        states = random_states(2)
        grad_features = torch.randn(layer(states).shape)
        reference, scaled = (
            parameter_gradients(layer, layer(states), grad_features * factor)
            for factor in (1.0, size)
        )
        for expected, actual in zip(reference, scaled, strict=True):
            torch.testing.assert_close(expected, actual / size, rtol=1e-6, atol=1e-6)

    def test_a_non_finite_gradient_stays_non_finite(self):
        layer = Float16Linear(nn.Linear(1024, 4), ThreadPool(2))
        values = torch.ones(2, 1024, requires_grad=True)
        grad_outputs = torch.full((2, 4), torch.nan)
        (gradient,) = torch.autograd.grad(layer(values), [values], grad_outputs)
        assert gradient.isnan().all()

    def test_a_nan_weight_gives_nan_features(self):
        network = NatureCNN((4, 84, 84))
        with torch.no_grad():
            network[2].weight[5, 0, 0, 0] = torch.nan
        features = Float16NatureCNN(network, 84, ThreadPool())(random_states(2, 84))
        assert features.isnan().any()

    def test_a_zero_gradient_gives_zero_gradients(self):
        layer = Float16NatureCNN(NatureCNN((4, 84, 84)), 84, ThreadPool(2))
        states = random_states(2)
        zeros = torch.zeros(2, layer.num_features)
        gradients = parameter_gradients(layer, layer(states), zeros)
        assert not any(gradient.any() for gradient in gradients)


@needs_float16
class TestToFloat16:
    def test_states_may_be_slices_of_a_larger_tensor(self):
        layer = Float16NatureCNN(NatureCNN((4, 84, 84)), 84, ThreadPool(2))
        frames = torch.cat((random_states(3), random_states(3)), dim=1)
        for states in (
            frames[:, :4],
            frames[:, 2:6],
            frames[::2, 1:5],
            frames[:, :4].transpose(2, 3),
        ):
            assert torch.equal(layer(states), layer(states.contiguous()))

    def test_parameters_are_shared_and_in_the_same_order(self):
        network = QNetwork((4, 84, 84), 5, separate_target=True, dueling=True)
        compute_copy = to_float16(network, ThreadPool())
        for copied, parameter in zip(compute_copy.parameters(), network.parameters(), strict=True):
            assert copied is parameter
        assert isinstance(compute_copy.features, Float16NatureCNN)
        assert isinstance(compute_copy.target_features, Float16NatureCNN)
        assert isinstance(network.features, NatureCNN)

    @pytest.mark.parametrize("shape", [(1, 84, 84), (4, 84, 96)])
    def test_unsupported_state_shapes_are_left_to_torch(self, shape):
        assert isinstance(to_float16(QNetwork(shape, 3), ThreadPool()).features, NatureCNN)

    @pytest.mark.parametrize(
        "layer", [nn.Linear(1024, 4, bias=False), nn.Linear(1056, 4), nn.Linear(512, 4)]
    )
    def test_unsupported_or_small_linear_layers_are_left_to_torch(self, layer):
        assert type(to_float16(layer, ThreadPool())) is nn.Linear
        assert type(to_float16(nn.Linear(1024, 4), ThreadPool())) is Float16Linear

    def test_layers_use_the_parameters_of_the_last_refresh(self):
        network = QNetwork((4, 84, 84), 3)
        compute_copy, states = to_float16(network, ThreadPool()), random_states(2)
        before = compute_copy.online(states)
        with torch.no_grad():
            network.features[2].weight += 0.01
            network.online_head[0].weight += 0.01
        assert torch.equal(compute_copy.online(states), before)
        layers = float16_layers(compute_copy)
        assert len(layers) == 3, "the convolutions, and one wide layer per head"
        for layer in layers:
            layer.refresh()
        after = compute_copy.online(states)
        assert not torch.equal(after, before)
        torch.testing.assert_close(after, network.online(states), rtol=0, atol=0.01)


@needs_float16
@pytest.mark.parametrize("count", [1, 7, 33])
def test_results_do_not_depend_on_the_number_of_threads(count):
    network, states = QNetwork((4, 84, 84), 5, dueling=True), random_states(count)
    grad_values = torch.randn(count, 5)

    def values_and_gradients(threads: int) -> list[torch.Tensor]:
        compute_copy = to_float16(network, ThreadPool(threads))
        parameters = [each for each in compute_copy.parameters() if each.requires_grad]
        values = compute_copy.online(states)
        return [values, *torch.autograd.grad(values, parameters, grad_values)]

    expected = values_and_gradients(1)
    for threads in (2, 3, 11):
        assert all(map(torch.equal, values_and_gradients(threads), expected))


def test_float16_needs_the_compiled_functions(monkeypatch):
    monkeypatch.setattr(bindings, "_library", lambda: None)
    assert not supports_float16()
