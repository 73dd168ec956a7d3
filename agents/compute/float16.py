"""Layers that compute in float16 with this package's compiled code.

Processors with AVX512-FP16 multiply float16 numbers at twice the speed of float32. Parameters,
gradients and the tensors between layers are float32; only the arithmetic within a layer is float16.
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn

from agents.compute.bindings import ThreadPool, native, pointer, pointers
from agents.networks.nature_cnn import NatureCNN

M = TypeVar("M", bound=nn.Module)

NUM_FRAMES = 4
"""Frames per state that the compiled convolutions support."""

MIN_INPUTS = 1024
"""Smallest number of inputs for which a compiled linear layer is faster than torch's."""


def to_float16(network: M, pool: ThreadPool) -> M:
    """Return a network that shares the parameters and computes in float16 where that is faster.

    Call ``refresh`` on each of its `float16_layers` after every change of the parameters.

    Args:
        network: any network. In the copy, each `agents.networks.nature_cnn.NatureCNN` and wide
            linear layer is replaced.
        pool: threads that compute these layers.
    """
    shared = {id(parameter): parameter for parameter in network.parameters()}
    # Only submodules are replaced in practice, so the class of the network stays the same.
    return cast(M, _replace_layers(copy.deepcopy(network, shared), pool))


def float16_layers(network: nn.Module) -> list[Float16NatureCNN | Float16Linear]:
    """Return the layers that compute with float16 copies of their parameters.

    Args:
        network: a network that `to_float16` returned.
    """
    return [
        module
        for module in network.modules()
        if isinstance(module, Float16NatureCNN | Float16Linear)
    ]


class Float16NatureCNN(nn.Module):
    """The convolutions of an `agents.networks.nature_cnn.NatureCNN`, with shared parameters.

    Args:
        convolutions: a network for square states of four frames.
        side: height and width of the states in pixels.
        pool: threads that share the states of a batch.
    """

    def __init__(self, convolutions: NatureCNN, side: int, pool: ThreadPool) -> None:
        super().__init__()
        self.pool = pool
        self.layers = nn.ModuleList(layer for layer in convolutions if isinstance(layer, nn.Conv2d))
        self.num_features, self.side = convolutions.num_features, side
        # Cached, because collecting parameters takes as long as adding up their gradients.
        self.weights_and_biases = tuple(self.parameters())
        self.packed: Tensor = torch.empty(native().cnn_packed_size(side), dtype=torch.float16)
        self.refresh()

    def refresh(self) -> None:
        """Convert the current parameters to float16."""
        weights = [weight.detach().contiguous() for weight in self.weights_and_biases[::2]]
        native().cnn_pack_weights(
            self.pool.address, self.side, *map(pointer, weights), pointer(self.packed)
        )

    def forward(self, states: Tensor) -> Tensor:
        """Return features float32 ``(batch, num_features)``.

        Args:
            states: uint8 ``(batch, 4, side, side)``.
        """
        features: Tensor = _Convolutions.apply(self, states, *self.weights_and_biases)
        return features


class Float16Linear(nn.Module):
    """A linear layer that shares the parameters of another one.

    Args:
        linear: a float32 layer with a bias, whose number of inputs is a multiple of 64.
        pool: threads that share the states of a batch, or the outputs.
    """

    def __init__(self, linear: nn.Linear, pool: ThreadPool) -> None:
        super().__init__()
        self.pool = pool
        self.weight, self.bias = linear.weight, linear.bias
        size = native().linear_packed_size(linear.in_features, linear.out_features)
        self.packed: Tensor = torch.empty(size, dtype=torch.float16)
        self.refresh()

    def refresh(self) -> None:
        """Convert the current weights to float16."""
        weight = self.weight.detach().contiguous()
        outputs, inputs = weight.shape
        native().linear_pack_weights(
            self.pool.address, inputs, outputs, pointer(weight), pointer(self.packed)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Return float32 ``(batch, outputs)``.

        Args:
            inputs: float32 ``(batch, inputs)``.
        """
        outputs: Tensor = _Linear.apply(self, inputs, self.weight, self.bias)
        return outputs


class _Convolutions(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any, layer: Float16NatureCNN, states: Tensor, *parameters: Tensor
    ) -> Tensor:
        """Compute the features, and save the activations of each layer."""
        states = _with_contiguous_rows(states)
        count, code = len(states), native()
        activations = torch.empty(count, code.cnn_activations_size(layer.side), dtype=torch.float16)
        features = torch.empty(count, layer.num_features)
        code.cnn_forward(
            layer.pool.address, layer.side, count, pointer(states), states.stride(0),
            pointer(layer.packed), pointers(parameters[1::2]), pointer(activations),
            pointer(features),
        )  # fmt: skip
        context.layer = layer
        context.save_for_backward(states, activations)
        return features

    @staticmethod
    def backward(context: Any, grad_features: Tensor) -> tuple[Tensor | None, ...]:
        """Compute the gradients of the parameters; states have none."""
        states, activations = context.saved_tensors
        layer, grad_features = context.layer, grad_features.contiguous()
        gradients = [torch.empty(parameter.shape) for parameter in layer.weights_and_biases]
        sums = torch.empty(native().cnn_gradient_sums_size(layer.side))
        native().cnn_backward(
            layer.pool.address, layer.side, len(states), pointer(states), states.stride(0),
            pointer(layer.packed), pointer(activations), pointer(grad_features), pointer(sums),
            pointers(gradients[::2]), pointers(gradients[1::2]),
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
            layer.pool.address, len(inputs), inputs.shape[1], len(bias), pointer(inputs),
            pointer(layer.packed), pointer(bias), pointer(outputs),
        )  # fmt: skip
        context.layer = layer
        context.save_for_backward(inputs)
        del weight
        return outputs

    @staticmethod
    def backward(context: Any, grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        """Compute the gradients of the inputs and the parameters."""
        (inputs,), layer = context.saved_tensors, context.layer
        grad_outputs = grad_outputs.contiguous()
        shape = layer.weight.shape
        gradients = torch.empty_like(inputs), torch.empty(shape), torch.empty(shape[0])
        native().linear_backward(
            layer.pool.address, len(inputs), inputs.shape[1], shape[0], pointer(inputs),
            pointer(layer.packed), pointer(grad_outputs), *map(pointer, gradients),
        )  # fmt: skip
        return None, *gradients


def _replace_layers(module: nn.Module, pool: ThreadPool) -> nn.Module:
    if isinstance(module, NatureCNN):
        frames, height, width = module.state_shape
        supported = frames == NUM_FRAMES and height == width
        return Float16NatureCNN(module, height, pool) if supported else module
    if isinstance(module, nn.Linear):
        supported = module.in_features >= MIN_INPUTS and module.in_features % 64 == 0
        return Float16Linear(module, pool) if supported and module.bias is not None else module
    for name, child in module.named_children():
        setattr(module, name, _replace_layers(child, pool))
    return module


def _with_contiguous_rows(states: Tensor) -> Tensor:
    """Return the states, copied unless each state is contiguous; their stride does not matter."""
    return states if states[:1].is_contiguous() else states.contiguous()
