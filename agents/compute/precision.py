"""The floating-point precision that a network learns in: float32, or 16 bits at twice the speed.

The optimized parameters, the sums of gradients and the optimizer's moments are always float32. Only
a `ComputeCopy` of the network computes in 16 bits.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Iterable
from functools import cache
from typing import Generic, Literal, TypeVar

import torch
from torch import Tensor, nn

from agents.compute.bindings import ThreadPool, supports_float16
from agents.compute.float16 import float16_layers, to_float16

N = TypeVar("N", bound=nn.Module)

Precision = Literal["auto", "float32", "bfloat16", "float16"]

MATRIX_SIZE = 256
"""Height and width of the matrices that are multiplied to measure the speed of a dtype."""

logger = logging.getLogger(__name__)


def resolve_precision(name: Precision, device: str) -> torch.dtype:
    """Return the dtype for a name; ``"auto"`` selects the fastest one on the device.

    Args:
        name: one of `Precision`.
        device: a torch device.

    Raises:
        ValueError: the device does not support ``"float16"``.

    >>> resolve_precision("float32", "cpu")
    torch.float32
    """
    float16 = device == "cpu" and supports_float16()
    if name == "float16" and not float16:
        raise ValueError(
            f"precision is float16, which needs AVX512-FP16, and the device is {device}; "
            "give auto, bfloat16 or float32"
        )
    if name == "auto":
        name = "float16" if float16 else "bfloat16" if has_bfloat16(device) else "float32"
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def has_bfloat16(device: str) -> bool:
    """Return whether the device is faster in bfloat16 than in float32.

    Some processors support bfloat16 instructions, but execute them at half the speed.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if kind != "cpu":
        return False  # not measured
    has_instructions = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return bool(has_instructions) and _seconds(torch.bfloat16) < _seconds(torch.float32)


@cache
def _seconds(dtype: torch.dtype) -> float:
    """Return the shortest time of a few matrix products."""
    matrix = torch.ones(MATRIX_SIZE, MATRIX_SIZE, dtype=dtype)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        torch.mm(matrix, matrix)
        times.append(time.perf_counter() - start)
    return min(times)


class ComputeCopy(Generic[N]):
    """A copy of a network that computes in another dtype.

    Torch's autocast converts the weights each time they are used. Here, the weights are converted
    once per update. bfloat16 needs a network with the attribute ``dtype_agnostic``, which accepts
    the same states whatever the dtype of its parameters. float16 needs layers that
    `agents.compute.float16` replaces. Any other network computes in float32, and a warning is
    logged.

    Args:
        source: the network, in float32.
        dtype: for float32, the copy is the network itself. For float16, the copy shares the
            parameters of the network, and the replaced layers keep float16 copies of them.
        pool: threads that compute the replaced layers.

    Attributes:
        network: the copy.
        dtype: the given dtype.
        uses_pool: whether the threads of ``pool`` compute the replaced layers.

    >>> network = nn.Sequential(nn.Linear(2, 1))
    >>> ComputeCopy(network, torch.float32).network is network
    True
    """

    def __init__(self, source: N, dtype: torch.dtype, pool: ThreadPool | None = None) -> None:
        self.dtype = dtype
        self.network = _convert(source, dtype, pool)
        self._float16_layers = float16_layers(self.network)
        self.uses_pool = bool(self._float16_layers)
        pairs = zip(source.parameters(), self.network.parameters(), strict=True)
        self._pairs = [(own, copied) for own, copied in pairs if copied is not own]
        self._copies = {id(own): copied for own, copied in self._pairs}

    def parameters_for(self, parameters: Iterable[Tensor]) -> list[Tensor]:
        """Return the copies of parameters, or the parameters themselves where there are none."""
        return [self._copies.get(id(parameter), parameter) for parameter in parameters]

    def update(self) -> None:
        """Copy the parameters that require a gradient, after a step of the optimizer."""
        self._copy(trainable_only=True)

    def sync(self) -> None:
        """Copy all parameters."""
        self._copy(trainable_only=False)

    @torch.no_grad()
    def _copy(self, trainable_only: bool) -> None:
        for own, copied in self._pairs:
            if own.requires_grad or not trainable_only:
                copied.copy_(own)
        for layer in self._float16_layers:
            if not trainable_only or next(layer.parameters()).requires_grad:
                layer.refresh()


def _convert(network: N, dtype: torch.dtype, pool: ThreadPool | None) -> N:
    """Return a copy that computes in the dtype if possible, otherwise the network itself."""
    if dtype is torch.float32:
        return network
    if dtype is torch.bfloat16 and _is_dtype_agnostic(network):
        return copy.deepcopy(network).to(dtype)
    if dtype is torch.float16:
        converted = to_float16(network, pool or ThreadPool())
        if float16_layers(converted):
            return converted
    logger.warning(
        "%s has no implementation in %s and learns in float32", type(network).__name__, dtype
    )
    return network


def _is_dtype_agnostic(network: nn.Module) -> bool:
    if isinstance(network, nn.Sequential) and len(network) and type(network) is nn.Sequential:
        return _is_dtype_agnostic(network[0])
    return bool(getattr(network, "dtype_agnostic", False))
