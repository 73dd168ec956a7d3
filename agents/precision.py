"""Which floating-point numbers a network computes with: float32, or bfloat16 at twice the speed.

The weights that are learned, their sums of gradients and the optimizer are float32 in any case:
only what is multiplied by millions is made bfloat16, by a `Twin` of the network.
"""

from __future__ import annotations

import copy
from typing import Generic, Literal, TypeVar

import torch
from torch import Tensor, nn

N = TypeVar("N", bound=nn.Module)

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


class Twin(Generic[N]):
    """A network and its like in other numbers, which follows what the network learns.

    Torch's autocast converts the weights whenever they are used; here it is done once an update.

    Args:
        network: in float32.
        dtype: the other's numbers. With float32, the two are the same.

    Attributes:
        like: computes as ``network`` does, in other numbers.

    >>> twin = Twin(nn.Linear(2, 1), torch.bfloat16)
    >>> twin.like.weight.dtype
    torch.bfloat16
    """

    def __init__(self, network: N, dtype: torch.dtype) -> None:
        same = dtype is torch.float32
        self.like = network if same else copy.deepcopy(network).to(dtype)
        pairs = () if same else zip(self.like.parameters(), network.parameters(), strict=True)
        self._pairs = [(mine.detach(), theirs.detach()) for mine, theirs in pairs]
        self._learning = [
            pair
            for pair, theirs in zip(self._pairs, network.parameters(), strict=False)
            if theirs.requires_grad
        ]

    @property
    def learning(self) -> list[Tensor]:
        """The parameters of ``like`` that want a gradient, in the order of the network's."""
        return [each for each in self.like.parameters() if each.requires_grad]

    def follow(self) -> None:
        """Take over what an update changed: the parameters that want a gradient."""
        _copy(self._learning)

    def follow_all(self) -> None:
        """Take over every parameter."""
        _copy(self._pairs)


def _copy(pairs: list[tuple[Tensor, Tensor]]) -> None:
    for mine, theirs in pairs:
        mine.copy_(theirs)
