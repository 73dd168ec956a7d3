"""Layers that multiply 16-bit floating-point numbers, in compiled code of this package.

Processors with AVX512-FP16 multiply those at twice the speed of float32. Weights, what passes
between layers, and gradients are float32: only inside of a layer are numbers 16 bits long.
"""

from __future__ import annotations

import copy
import ctypes
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from agents.networks import NatureCNN

M = TypeVar("M", bound=nn.Module)

STACK = 4
"""Frames of a state that the compiled convolutions can see."""

WIDE = 1024
"""Inputs of a layer from which on it is worth computing in compiled code."""


def in_halves(network: M) -> M:
    """A network that has the same parameters and computes with 16-bit numbers where that pays.

    `refresh` is to be called whenever the parameters have changed.

    Args:
        network: any; its `agents.networks.NatureCNN` and its wide linear layers are replaced.
    """
    shared = {id(each): each for each in network.parameters()}
    # whatever is called as a whole network is of the same class; what is replaced is a part of it
    return cast(M, _replaced(copy.deepcopy(network, shared)))


def refresh(network: nn.Module, learning_only: bool = False) -> None:
    """Take over the parameters that a network of `in_halves` computes with.

    Args:
        network: what `in_halves` gave.
        learning_only: leave out the layers that never learn.
    """
    for module in network.modules():
        if isinstance(module, HalfNatureCNN | HalfLinear):
            learns = next(module.parameters()).requires_grad
            if learns or not learning_only:
                module.refresh()


def has_halves() -> bool:
    """Whether this processor and the build of this package can compute in halves."""
    library = _library()
    return library is not None and bool(library.halves_supported())


class HalfNatureCNN(nn.Module):
    """The convolutions of `agents.networks.NatureCNN`, of the same parameters.

    Args:
        like: of square states of four frames.
        side: of those states, pixels.
    """

    def __init__(self, like: NatureCNN, side: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(each for each in like if isinstance(each, nn.Conv2d))
        self.num_features, self.side = like.num_features, side
        count = _native().cnn_weight_count(side)
        self.packed: Tensor = torch.empty(count, dtype=torch.float16)
        self.refresh()

    def refresh(self) -> None:
        """Take over the parameters."""
        weights = [each.detach().contiguous() for each in self.parameters() if each.dim() > 1]
        _native().cnn_weights(self.side, *map(_at, weights), _at(self.packed))

    def forward(self, states: Tensor) -> Tensor:
        """See states, uint8 ``(batch, 4, side, side)``.

        Returns:
            Features, float32 ``(batch, num_features)``.
        """
        features: Tensor = _Convolutions.apply(self, states, *self.parameters())
        return features


class HalfLinear(nn.Module):
    """A linear layer of the same parameters as another.

    Args:
        like: of float32, with as many inputs as 64 goes into.
    """

    def __init__(self, like: nn.Linear) -> None:
        super().__init__()
        self.weight, self.bias = like.weight, like.bias
        self.packed: Tensor = torch.empty(like.weight.shape, dtype=torch.float16)
        self.refresh()

    def refresh(self) -> None:
        """Take over the parameters."""
        weight = self.weight.detach().contiguous()
        _native().linear_weights(weight.numel(), _at(weight), _at(self.packed))

    def forward(self, inputs: Tensor) -> Tensor:
        """``(batch, outputs)`` of ``(batch, inputs)``, both float32."""
        outputs: Tensor = _Linear.apply(self, inputs, self.weight, self.bias)
        return outputs


class _Convolutions(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, layer: HalfNatureCNN, states: Tensor, *parameters: Tensor) -> Tensor:
        """Compute the features, and keep what came out of each layer."""
        states = _rows_whole(states)
        count, native = len(states), _native()
        kept = torch.empty(count, native.cnn_kept_count(layer.side), dtype=torch.float16)
        features = torch.empty(count, layer.num_features)
        native.cnn_forward(
            layer.side, count, _at(states), states.stride(0), _at(layer.packed),
            _addresses(parameters[1::2]), _at(kept), _at(features),
        )  # fmt: skip
        context.layer = layer
        context.save_for_backward(states, kept)
        return features

    @staticmethod
    def backward(context: Any, back: Tensor) -> tuple[Tensor | None, ...]:
        """Compute the gradients of the parameters; states have none."""
        states, kept = context.saved_tensors
        layer, back = context.layer, back.contiguous()
        gradients = [torch.empty(each.shape) for each in layer.parameters()]
        _native().cnn_backward(
            layer.side, len(states), _at(states), states.stride(0), _at(layer.packed), _at(kept),
            _at(back), _addresses(gradients[::2]), _addresses(gradients[1::2]),
        )  # fmt: skip
        return None, None, *gradients


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any, layer: HalfLinear, inputs: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        """Compute the outputs."""
        inputs = inputs.contiguous()
        outputs = torch.empty(len(inputs), len(bias))
        _native().linear_forward(
            len(inputs), inputs.shape[1], len(bias), _at(inputs), _at(layer.packed),
            _at(bias), _at(outputs),
        )  # fmt: skip
        context.layer = layer
        context.save_for_backward(inputs)
        del weight
        return outputs

    @staticmethod
    def backward(context: Any, back: Tensor) -> tuple[Tensor | None, ...]:
        """Compute the gradients of the inputs and the parameters."""
        (inputs,), packed, back = context.saved_tensors, context.layer.packed, back.contiguous()
        gradients = torch.empty_like(inputs), torch.empty(packed.shape), torch.empty(len(packed))
        _native().linear_backward(
            len(inputs), inputs.shape[1], len(packed), _at(inputs), _at(packed), _at(back),
            *map(_at, gradients),
        )  # fmt: skip
        return None, *gradients


def _replaced(module: nn.Module) -> nn.Module:
    if isinstance(module, NatureCNN):
        stack, height, width = module.state_shape
        return HalfNatureCNN(module, height) if (stack, height) == (STACK, width) else module
    if isinstance(module, nn.Linear):
        fits = module.in_features >= WIDE and module.in_features % 64 == 0
        return HalfLinear(module) if fits and module.bias is not None else module
    for name, child in module.named_children():
        setattr(module, name, _replaced(child))
    return module


def _rows_whole(states: Tensor) -> Tensor:
    """States in which the frames of each lie together, however far apart they are."""
    return states if states[:1].is_contiguous() else states.contiguous()


def _at(tensor: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())


def _addresses(tensors: Sequence[Tensor]) -> Any:
    return (ctypes.c_void_p * len(tensors))(*(each.data_ptr() for each in tensors))


def _native() -> ctypes.CDLL:
    library = _library()
    assert library is not None, "ask has_halves first"
    return library


@cache
def _library() -> ctypes.CDLL | None:
    """The functions, None where they are not built."""
    spec = find_spec("agents._native")
    if spec is None or spec.origin is None:
        return None
    library = ctypes.CDLL(spec.origin)
    whole, address = ctypes.c_int64, ctypes.c_void_p
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "cnn_weight_count": (whole, [ctypes.c_int]),
        "cnn_kept_count": (whole, [ctypes.c_int]),
        "cnn_weights": (None, [ctypes.c_int, *[address] * 4]),
        "cnn_forward": (None, [ctypes.c_int, whole, address, whole, *[address] * 4]),
        "cnn_backward": (None, [ctypes.c_int, whole, address, whole, *[address] * 5]),
        "linear_weights": (None, [whole, address, address]),
        "linear_forward": (None, [whole, ctypes.c_int, ctypes.c_int, *[address] * 4]),
        "linear_backward": (None, [whole, ctypes.c_int, ctypes.c_int, *[address] * 6]),
    }
    for name, (result, arguments) in signatures.items():
        if hasattr(library, name):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    return library
