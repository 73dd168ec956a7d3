from __future__ import annotations

import pytest
import torch

from agents.compute import precision
from agents.compute.bindings import supports_float16
from agents.compute.precision import ComputeCopy, has_bfloat16, resolve_precision
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


class TestTwin:
    def test_the_float32_copy_is_the_network_itself(self):
        network = QNetwork((4, 84, 84), 3)
        compute_copy = ComputeCopy(network, torch.float32)
        compute_copy.follow()
        compute_copy.sync()
        assert compute_copy.like is network

    def test_bfloat16_values_and_gradients_are_close_to_float32(self):
        torch.manual_seed(0)
        network, gradients, values = QNetwork((4, 84, 84), 3), [], []
        for dtype in (torch.float32, torch.bfloat16):
            compute_copy = ComputeCopy(network, dtype)
            values.append(compute_copy.like.transition_values(STATES, STATES)[0])
            loss = (values[-1] - 1).square().sum()
            found = torch.autograd.grad(loss, compute_copy.learning)
            gradients.append(torch.cat([each.flatten().float() for each in found]))
        torch.testing.assert_close(*values, rtol=0.02, atol=0.01)
        assert not torch.equal(*values)
        exact, rough = gradients
        assert (rough - exact).norm() < 0.05 * exact.norm()

    def test_the_copy_changes_only_when_synchronized(self):
        network = QNetwork((4, 84, 84), 3)
        compute_copy = ComputeCopy(network, torch.bfloat16)
        before = compute_copy.like.online(STATES)
        with torch.no_grad():
            network.online_head[2].bias += 1
        assert torch.equal(compute_copy.like.online(STATES), before)
        compute_copy.follow()
        assert not torch.equal(compute_copy.like.online(STATES), before)

    def test_updates_sync_trainable_weights_and_a_full_sync_the_target(self):
        network = QNetwork((4, 84, 84), 3)
        compute_copy = ComputeCopy(network, torch.bfloat16)
        with torch.no_grad():
            for each in network.parameters():
                each += 1
        compute_copy.follow()
        assert not torch.equal(
            compute_copy.like.target_head[2].bias, network.target_head[2].bias.bfloat16()
        )
        compute_copy.sync()
        for mine, theirs in zip(compute_copy.like.parameters(), network.parameters(), strict=True):
            assert torch.equal(mine, theirs.bfloat16())
            assert mine.requires_grad == theirs.requires_grad

    @pytest.mark.skipif(not supports_float16(), reason="this processor cannot compute in float16")
    def test_the_float16_copy_shares_the_weights_and_follows(self):
        network = QNetwork((4, 84, 84), 3)
        compute_copy = ComputeCopy(network, torch.float16)
        pairs = zip(compute_copy.learning, (each for each in network.parameters()), strict=False)
        assert all(mine is theirs for mine, theirs in pairs)
        before = compute_copy.like.online(STATES)
        with torch.no_grad():
            network.features[0].bias += 0.1
            network.online_head[0].weight *= 2
        compute_copy.follow()
        assert not torch.equal(compute_copy.like.online(STATES), before)
        torch.testing.assert_close(
            compute_copy.like.online(STATES), network.online(STATES), rtol=0.02, atol=0.02
        )
