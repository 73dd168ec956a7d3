"""Tensors as one array, which crosses processes without copies of its parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Layout = tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]


def flatten(tensors: Sequence[Tensor]) -> tuple[NDArray[np.float32], Layout]:
    """Return the elements of tensors in the order of their memory, and their layout.

    The order matters: sums over elements, such as the gradient norm, round differently in another
    order.

    Args:
        tensors: float32, on any device.

    Returns:
        float32 ``(number of elements,)``, and the shape and the strides of each tensor.
    """
    dense = [_dense(tensor.detach().cpu()) for tensor in tensors]
    flat = torch.cat([_in_memory_order(tensor) for tensor in dense])
    return flat.numpy(), tuple((tuple(each.shape), each.stride()) for each in dense)


def unflatten(values: NDArray[np.float32], layout: Layout) -> list[Tensor]:
    """Return the tensors that `flatten` received, as views of ``values``, which must be writable.

    >>> values, layout = flatten([torch.ones(2, 3), torch.zeros(1)])
    >>> [tuple(tensor.shape) for tensor in unflatten(values, layout)]
    [(2, 3), (1,)]
    """
    flat, tensors, start = torch.from_numpy(values), [], 0
    for shape, strides in layout:
        part = flat[start : start + int(np.prod(shape))]
        tensors.append(part.as_strided(shape, strides))
        start += len(part)
    return tensors


@torch.no_grad()
def load(values: NDArray[np.float32], parameters: Sequence[Tensor]) -> None:
    """Copy what `flatten` returned for the same parameters in another process into them.

    Args:
        values: may be read-only.
        parameters: dense float32 tensors on the CPU, modified in place.

    Raises:
        ValueError: the number of elements differs.
    """
    size = sum(parameter.numel() for parameter in parameters)
    if len(values) != size:
        raise ValueError(f"the weights have {len(values):,} elements, this network {size:,}")
    start = 0
    for parameter in parameters:
        own = _in_memory_order(parameter.detach()).numpy()
        np.copyto(own, values[start : start + len(own)])
        start += len(own)


def _dense(tensor: Tensor) -> Tensor:
    """Return a tensor without gaps in its memory: the given one, or a contiguous copy."""
    channels_last = tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
    return tensor if channels_last else tensor.contiguous()


def _in_memory_order(tensor: Tensor) -> Tensor:
    return tensor.as_strided((tensor.numel(),), (1,))
