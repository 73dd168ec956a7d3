"""Which floating-point numbers a network computes with: float32, or 16 bits at twice the speed.

The weights that are learned, their sums of gradients and the optimizer are float32 in any case:
only what is multiplied by millions has 16 bits, in a `ComputeCopy` of the network.
"""

from __future__ import annotations

import copy
import time
from functools import cache
from typing import Generic, Literal, TypeVar

import torch
from torch import Tensor, nn

from agents.compute.bindings import ThreadPool, supports_float16
from agents.compute.data_parallel import DataParallel
from agents.compute.float16 import float16_layers, to_float16

N = TypeVar("N", bound=nn.Module)

Precision = Literal["auto", "float32", "bfloat16", "float16"]

SIDE = 256
"""Of the matrices whose products tell what a processor is faster with."""


def resolve_precision(name: Precision, device: str) -> torch.dtype:
    """The numbers that a name stands for; ``"auto"`` is what the device learns fastest with.

    Args:
        name: one of `Precision`.
        device: a torch device.

    Raises:
        ValueError: ``"float16"`` cannot be computed with there.

    >>> resolve_precision("float32", "cpu")
    torch.float32
    """
    halves = device == "cpu" and supports_float16()
    if name == "float16" and not halves:
        raise ValueError(
            f"precision is float16, which needs AVX512-FP16, and the device is {device}; "
            "give auto, bfloat16 or float32"
        )
    if name == "auto":
        name = "float16" if halves else "bfloat16" if has_bfloat16(device) else "float32"
    numbers: torch.dtype = getattr(torch, name)
    return numbers


def has_bfloat16(device: str) -> bool:
    """Whether the device is faster with bfloat16 than with float32.

    Some processors have the instructions, and take twice as long for them.
    """
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    has = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return bool(has) and _seconds(torch.bfloat16) < _seconds(torch.float32)


@cache
def _seconds(dtype: torch.dtype) -> float:
    """The least time for a product of matrices."""
    matrix = torch.ones(SIDE, SIDE, dtype=dtype)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        torch.mm(matrix, matrix)
        times.append(time.perf_counter() - start)
    return min(times)


class ComputeCopy(Generic[N]):
    """A network and its like in other numbers, which follows what the network learns.

    Torch's autocast converts the weights whenever they are used; here it is done once an update.

    Args:
        network: in float32.
        dtype: the other's numbers. With float32, the two are the same; with float16, they share
            the weights, and `agents.compute.float16` computes with a copy.
        parallel: shares each layer, where layers can be shared: with float16.

    Attributes:
        like: computes as ``network`` does, in other numbers.
        shares_layers: whether a parallel does; then it need not share a batch.

    >>> compute_copy = ComputeCopy(nn.Linear(2, 1), torch.bfloat16)
    >>> compute_copy.like.weight.dtype
    torch.bfloat16
    """

    def __init__(
        self, network: N, dtype: torch.dtype, parallel: DataParallel | None = None
    ) -> None:
        self.shares_layers = dtype is torch.float16 and parallel is not None
        if dtype is torch.bfloat16:
            self.like = copy.deepcopy(network).to(dtype)
        elif dtype is torch.float16:
            self.like = to_float16(network, (parallel or DataParallel()).pool or ThreadPool())
        else:
            self.like = network
        pairs = zip(self.like.parameters(), network.parameters(), strict=True)
        self._pairs = [
            (mine.detach(), theirs.detach()) for mine, theirs in pairs if mine is not theirs
        ]
        self._learning = [
            pair
            for pair, theirs in zip(self._pairs, network.parameters(), strict=False)
            if theirs.requires_grad
        ]

        self._halves = float16_layers(self.like)
        self._learning_halves = [
            each for each in self._halves if next(each.parameters()).requires_grad
        ]

    @property
    def learning(self) -> list[Tensor]:
        """The parameters of ``like`` that want a gradient, in the order of the network's."""
        return [each for each in self.like.parameters() if each.requires_grad]

    def follow(self) -> None:
        """Take over what an update changed: the parameters that want a gradient."""
        _copy(self._learning)
        for layer in self._learning_halves:
            layer.refresh()

    def sync(self) -> None:
        """Take over every parameter."""
        _copy(self._pairs)
        for layer in self._halves:
            layer.refresh()


def _copy(pairs: list[tuple[Tensor, Tensor]]) -> None:
    for mine, theirs in pairs:
        mine.copy_(theirs)
