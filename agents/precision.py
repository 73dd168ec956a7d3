"""Which floating-point numbers a network computes with: float32, or bfloat16 at twice the speed.

Weights, their gradients and the optimizer are float32 in any case: only what is multiplied by
millions is made bfloat16, as torch's autocast does it.
"""

from __future__ import annotations

from typing import Literal

import torch

Precision = Literal["auto", "float32", "bfloat16"]


def resolve_precision(name: Precision, device: str) -> torch.dtype:
    """The numbers that a name stands for; ``"auto"`` is bfloat16 where the device multiplies it.

    Args:
        name: one of `Precision`.
        device: a torch device.

    >>> resolve_precision("float32", "cpu")
    torch.float32
    """
    if name == "auto":
        return torch.bfloat16 if has_bfloat16(device) else torch.float32
    return torch.bfloat16 if name == "bfloat16" else torch.float32


def has_bfloat16(device: str) -> bool:
    """Whether the device has instructions for bfloat16, without which it is slower than float32."""
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
