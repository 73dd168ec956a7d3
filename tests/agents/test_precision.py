from __future__ import annotations

import pytest
import torch

from agents.precision import has_bfloat16, resolve_precision

CPU = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")


@pytest.fixture(params=[(False, False), (True, False), (False, True)])
def processor(request, monkeypatch) -> bool:
    """A processor with or without each of the two extensions; gives whether it has any."""
    for name, has in zip(CPU, request.param, strict=True):
        monkeypatch.setattr(torch.cpu, name, lambda has=has: has)
    return any(request.param)


def test_bfloat16_is_had_with_either_extension(processor):
    assert has_bfloat16("cpu") == processor


def test_auto_is_bfloat16_where_the_hardware_has_it(processor):
    assert resolve_precision("auto", "cpu") == (torch.bfloat16 if processor else torch.float32)


def test_what_is_named_is_taken_whatever_the_hardware_has(processor):
    for dtype in (torch.float32, torch.bfloat16):
        assert resolve_precision(str(dtype).removeprefix("torch."), "cpu") is dtype


@pytest.mark.parametrize("has", [False, True])
def test_a_gpu_is_asked_itself(monkeypatch, has):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has)
    assert has_bfloat16("cuda:1") == has
