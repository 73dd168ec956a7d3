from __future__ import annotations

import pytest
import torch

from agents.compute import precision
from agents.compute.bindings import supports_float16
from agents.compute.precision import ComputeCopy, has_bfloat16, resolve_precision
from agents.networks.nature_cnn import NatureCNN
from agents.networks.q_network import QNetwork

CPU = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")


@pytest.fixture(params=[(False, False), (True, False), (False, True)])
def processor(request, monkeypatch) -> bool:
    """Simulate a processor with or without each of the two extensions; return if it has any."""
    for name, has in zip(CPU, request.param, strict=True):
        monkeypatch.setattr(torch.cpu, name, lambda has=has: has)
    monkeypatch.setattr(precision, "supports_float16", lambda: False)
    monkeypatch.setattr(precision, "_seconds", {torch.bfloat16: 1.0, torch.float32: 2.0}.get)
    return any(request.param)


def test_bfloat16_is_supported_with_either_extension(processor):
    assert has_bfloat16("cpu") == processor


def test_auto_is_bfloat16_where_supported(processor):
    assert resolve_precision("auto", "cpu") == (torch.bfloat16 if processor else torch.float32)


def test_a_named_precision_is_always_used(processor):
    for dtype in (torch.float32, torch.bfloat16):
        assert resolve_precision(str(dtype).removeprefix("torch."), "cpu") is dtype


def test_slow_bfloat16_counts_as_unsupported(processor, monkeypatch):
    monkeypatch.setattr(precision, "_seconds", {torch.bfloat16: 2.0, torch.float32: 1.0}.get)
    assert not has_bfloat16("cpu")


def test_the_speed_measurement_is_positive():
    assert precision._seconds(torch.float32) > 0


def test_auto_is_float16_where_supported(processor, monkeypatch):
    monkeypatch.setattr(precision, "supports_float16", lambda: True)
    assert resolve_precision("auto", "cpu") is torch.float16
    assert resolve_precision("float16", "cpu") is torch.float16
    assert resolve_precision("auto", "cuda") is not torch.float16


@pytest.mark.parametrize(("device", "has"), [("cpu", False), ("cuda", True)])
def test_float16_is_refused_where_it_cannot_be(monkeypatch, device, has):
    monkeypatch.setattr(precision, "supports_float16", lambda: has)
    with pytest.raises(ValueError, match=f"precision is float16.*{device}.*give auto"):
        resolve_precision("float16", device)


@pytest.mark.parametrize("has", [False, True])
def test_gpu_support_is_queried_from_torch(monkeypatch, has):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has)
    assert has_bfloat16("cuda:1") == has


STATES = torch.randint(0, 256, (8, 4, 84, 84), dtype=torch.uint8)


class TestComputeCopy:
    def test_the_float32_copy_is_the_network_itself(self):
        network = QNetwork((4, 84, 84), 3)
        compute_copy = ComputeCopy(network, torch.float32)
        compute_copy.update()
        compute_copy.sync()
        assert compute_copy.network is network
        assert (
            compute_copy.parameters_for([network.features[0].bias])[0] is network.features[0].bias
        )

    def test_in_bfloat16_values_and_gradients_are_close_to_those_in_float32(self):
        torch.manual_seed(0)
        network, gradients, values = QNetwork((4, 84, 84), 3), [], []
        trainable = [each for each in network.parameters() if each.requires_grad]
        for dtype in (torch.float32, torch.bfloat16):
            compute_copy = ComputeCopy(network, dtype)
            values.append(compute_copy.network.transition_values(STATES, STATES)[0])
            loss = (values[-1] - 1).square().sum()
            parts = torch.autograd.grad(loss, compute_copy.parameters_for(trainable))
            gradients.append(torch.cat([part.flatten().float() for part in parts]))
        torch.testing.assert_close(*values, rtol=0.02, atol=0.01)
        assert not torch.equal(*values)
        exact, rounded = gradients
        assert (rounded - exact).norm() < 0.05 * exact.norm()

    def test_it_keeps_the_old_weights_until_it_is_updated(self):
        network = QNetwork((4, 84, 84), 3)
        compute_copy = ComputeCopy(network, torch.bfloat16)
        before = compute_copy.network.online(STATES)
        with torch.no_grad():
            network.online_head[2].bias += 1
        assert torch.equal(compute_copy.network.online(STATES), before)
        compute_copy.update()
        assert not torch.equal(compute_copy.network.online(STATES), before)

    def test_an_update_copies_trainable_parameters_and_a_sync_all(self):
        network = QNetwork((4, 84, 84), 3)
        compute_copy = ComputeCopy(network, torch.bfloat16)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter += 1
        compute_copy.update()
        assert not torch.equal(
            compute_copy.network.target_head[2].bias, network.target_head[2].bias.bfloat16()
        )
        compute_copy.sync()
        pairs = zip(compute_copy.network.parameters(), network.parameters(), strict=True)
        for copied, own in pairs:
            assert torch.equal(copied, own.bfloat16())
            assert copied.requires_grad == own.requires_grad

    def test_a_sequence_that_starts_with_convolutions_computes_in_bfloat16(self):
        body = torch.nn.Sequential(NatureCNN((4, 84, 84)), torch.nn.Linear(3136, 8))
        assert ComputeCopy(body, torch.bfloat16).network(STATES).dtype is torch.bfloat16

    @pytest.mark.skipif(not supports_float16(), reason="this processor cannot compute in float16")
    def test_in_float16_it_shares_the_parameters_and_is_updated(self):
        network = QNetwork((4, 84, 84), 3)
        compute_copy = ComputeCopy(network, torch.float16)
        parameters = list(network.parameters())
        shared = compute_copy.parameters_for(parameters)
        assert all(copied is own for copied, own in zip(shared, parameters, strict=True))
        assert compute_copy.uses_pool
        before = compute_copy.network.online(STATES)
        with torch.no_grad():
            network.features[0].bias += 0.1
            network.online_head[0].weight *= 2
        compute_copy.update()
        assert not torch.equal(compute_copy.network.online(STATES), before)
        torch.testing.assert_close(
            compute_copy.network.online(STATES), network.online(STATES), rtol=0.02, atol=0.02
        )
