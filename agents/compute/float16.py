"""Layers that multiply 16-bit floating-point numbers, in compiled code of this package.

Processors with AVX512-FP16 multiply those at twice the speed of float32. Weights, what passes
between layers, and gradients are float32: only inside of a layer are numbers 16 bits long.
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from agents.compute.bindings import ThreadPool, all_at, at, native
from agents.networks.nature_cnn import NatureCNN

M = TypeVar("M", bound=nn.Module)

STACK = 4
"""Frames of a state that the compiled convolutions can see."""

WIDE = 1024
"""Inputs of a layer from which on it is worth computing in compiled code."""


def to_float16(network: M, pool: ThreadPool) -> M:
    """A network that has the same parameters and computes with 16-bit numbers where that pays.

    Each of `float16_layers` it is to be refreshed whenever its parameters have changed.

    Args:
        network: any; its `agents.networks.nature_cnn.NatureCNN` and its wide linear layers are replaced.
        pool: shares the work of each of those.
    """
    shared = {id(each): each for each in network.parameters()}
    # whatever is called as a whole network is of the same class; what is replaced is a part of it
    return cast(M, _replaced(copy.deepcopy(network, shared), pool))


def float16_layers(network: nn.Module) -> list[Float16NatureCNN | Float16Linear]:
    """The layers that compute with copies of parameters, and are to be told when those change.

    Args:
        network: what `to_float16` gave.
    """
    layers = network.modules()
    return [each for each in layers if isinstance(each, Float16NatureCNN | Float16Linear)]


class Float16NatureCNN(nn.Module):
    """The convolutions of `agents.networks.nature_cnn.NatureCNN`, of the same parameters.

    Args:
        like: of square states of four frames.
        side: of those states, pixels.
        pool: each of its threads sees some of the states.
    """

    def __init__(self, like: NatureCNN, side: int, pool: ThreadPool) -> None:
        super().__init__()
        self.pool = pool
        self.layers = nn.ModuleList(each for each in like if isinstance(each, nn.Conv2d))
        self.num_features, self.side = like.num_features, side
        self.learning = tuple(self.parameters())  # to look for them takes as long as to add them up
        count = native().cnn_weight_count(side)
        self.packed: Tensor = torch.empty(count, dtype=torch.float16)
        self.refresh()

    def refresh(self) -> None:
        """Take over the parameters."""
        weights = [each.detach().contiguous() for each in self.learning[::2]]
        native().cnn_weights(self.pool.address, self.side, *map(at, weights), at(self.packed))

    def forward(self, states: Tensor) -> Tensor:
        """See states, uint8 ``(batch, 4, side, side)``.

        Returns:
            Features, float32 ``(batch, num_features)``.
        """
        features: Tensor = _Convolutions.apply(self, states, *self.learning)
        return features


class Float16Linear(nn.Module):
    """A linear layer of the same parameters as another.

    Args:
        like: of float32, with as many inputs as 64 goes into.
        pool: each of its threads computes for some of the states, or of the outputs.
    """

    def __init__(self, like: nn.Linear, pool: ThreadPool) -> None:
        super().__init__()
        self.pool = pool
        self.weight, self.bias = like.weight, like.bias
        count = native().linear_weight_count(like.in_features, like.out_features)
        self.packed: Tensor = torch.empty(count, dtype=torch.float16)
        self.refresh()

    def refresh(self) -> None:
        """Take over the parameters."""
        weight = self.weight.detach().contiguous()
        outputs, inputs = weight.shape
        native().linear_weights(self.pool.address, inputs, outputs, at(weight), at(self.packed))

    def forward(self, inputs: Tensor) -> Tensor:
        """``(batch, outputs)`` of ``(batch, inputs)``, both float32."""
        outputs: Tensor = _Linear.apply(self, inputs, self.weight, self.bias)
        return outputs


class _Convolutions(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any, layer: Float16NatureCNN, states: Tensor, *parameters: Tensor
    ) -> Tensor:
        """Compute the features, and keep what came out of each layer."""
        states = _rows_whole(states)
        count, code = len(states), native()
        kept = torch.empty(count, code.cnn_kept_count(layer.side), dtype=torch.float16)
        features = torch.empty(count, layer.num_features)
        code.cnn_forward(
            layer.pool.address, layer.side, count, at(states), states.stride(0), at(layer.packed),
            all_at(parameters[1::2]), at(kept), at(features),
        )  # fmt: skip
        context.layer = layer
        context.save_for_backward(states, kept)
        return features

    @staticmethod
    def backward(context: Any, back: Tensor) -> tuple[Tensor | None, ...]:
        """Compute the gradients of the parameters; states have none."""
        states, kept = context.saved_tensors
        layer, back = context.layer, back.contiguous()
        gradients = [torch.empty(each.shape) for each in layer.learning]
        pool = layer.pool.address
        sums = torch.empty(native().cnn_sums_count(layer.side))
        native().cnn_backward(
            pool, layer.side, len(states), at(states), states.stride(0), at(layer.packed),
            at(kept), at(back), at(sums), all_at(gradients[::2]),
            all_at(gradients[1::2]),
        )  # fmt: skip
        return None, None, *gradients


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any, layer: Float16Linear, inputs: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        """Compute the outputs."""
        inputs = inputs.contiguous()
        outputs = torch.empty(len(inputs), len(bias))
        native().linear_forward(
            layer.pool.address, len(inputs), inputs.shape[1], len(bias), at(inputs),
            at(layer.packed), at(bias), at(outputs),
        )  # fmt: skip
        context.layer = layer
        context.save_for_backward(inputs)
        del weight
        return outputs

    @staticmethod
    def backward(context: Any, back: Tensor) -> tuple[Tensor | None, ...]:
        """Compute the gradients of the inputs and the parameters."""
        (inputs,), layer, back = context.saved_tensors, context.layer, back.contiguous()
        shape = layer.weight.shape
        gradients = torch.empty_like(inputs), torch.empty(shape), torch.empty(shape[0])
        native().linear_backward(
            layer.pool.address, len(inputs), inputs.shape[1], shape[0], at(inputs),
            at(layer.packed), at(back), *map(at, gradients),
        )  # fmt: skip
        return None, *gradients


def _replaced(module: nn.Module, pool: ThreadPool) -> nn.Module:
    if isinstance(module, NatureCNN):
        stack, height, width = module.state_shape
        return (
            Float16NatureCNN(module, height, pool) if (stack, height) == (STACK, width) else module
        )
    if isinstance(module, nn.Linear):
        fits = module.in_features >= WIDE and module.in_features % 64 == 0
        return Float16Linear(module, pool) if fits and module.bias is not None else module
    for name, child in module.named_children():
        setattr(module, name, _replaced(child, pool))
    return module


def _rows_whole(states: Tensor) -> Tensor:
    """States in which the frames of each lie together, however far apart they are."""
    return states if states[:1].is_contiguous() else states.contiguous()
