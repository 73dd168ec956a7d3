"""The Adam optimizer and the gradient norm, computed by several threads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from agents.compute.bindings import ThreadPool, native, pointer


class ParallelAdam(torch.optim.Adam):
    """Adam whose steps are computed by a thread pool on a CPU.

    A step reads and writes seven numbers per weight, so it is limited by memory bandwidth: for 3.3
    million weights, one core took 2.3 ms and two took 1.4 ms. The update is algorithm 1 of Kingma &
    Ba 2014, https://arxiv.org/abs/1412.6980, without weight decay. The state has the format of
    `torch.optim.Adam`, so each optimizer can load the state of the other.

    Args:
        parameters: parameters to optimize.
        lr: learning rate.
        eps: added to the denominator for numerical stability.
        pool: computes each step; None to leave steps to torch.

    Attributes:
        pool: the given pool, or that of the `agents.compute.learner.Learner` that uses the
            optimizer.
    """

    def __init__(
        self, parameters: Iterable[Tensor], lr: float, eps: float, pool: ThreadPool | None = None
    ) -> None:
        super().__init__(parameters, lr=lr, eps=eps, fused=True)
        self.pool = pool

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Perform a step. Torch computes the first one, which creates the moments."""
        loss = None if closure is None else closure()
        parameters = [(each, group) for group in self.param_groups for each in group["params"]]
        for parameter, _ in parameters:
            self._match_memory_format(parameter)
        if not all(self._supports(parameter) for parameter, _ in parameters):
            super().step()
            return loss
        for parameter, group in parameters:
            self._update(parameter, group)
        return loss

    def _match_memory_format(self, parameter: Tensor) -> None:
        """Give gradient and moments the parameter's memory format.

        Torch's fused step pairs elements by their order in memory. A gradient in another memory
        format, as convolutions may return, would update the wrong weights.
        """
        if parameter.grad is not None:
            parameter.grad = _with_format_of(parameter, parameter.grad)
        state = self.state.get(parameter, {})
        for name in ("exp_avg", "exp_avg_sq"):
            if name in state:
                state[name] = _with_format_of(parameter, state[name])

    def _supports(self, parameter: Tensor) -> bool:
        if self.pool is None or not self.state.get(parameter) or parameter.grad is None:
            return False
        return parameter.is_cpu and parameter.dtype is parameter.grad.dtype is torch.float32

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        gradient, state = parameter.grad, self.state[parameter]
        assert self.pool is not None
        assert gradient is not None
        state["step"] += 1
        native().adam_step(
            self.pool.address, parameter.numel(), pointer(parameter), pointer(gradient),
            pointer(state["exp_avg"]), pointer(state["exp_avg_sq"]), state["step"].item(),
            group["lr"], *group["betas"], group["eps"],
        )  # fmt: skip


def total_norm(gradients: Sequence[Tensor], pool: ThreadPool | None) -> Tensor:
    """Return the L2 norm of the concatenated gradients, as a scalar on their device.

    Args:
        gradients: tensors of any shapes.
        pool: computes the norm on a CPU; None to leave it to torch.
    """
    dense = all(gradient.is_cpu and gradient.is_contiguous() for gradient in gradients)
    float32 = all(gradient.dtype is torch.float32 for gradient in gradients)
    if pool is None or not dense or not float32:
        return nn.utils.get_total_norm(gradients)
    squares = (
        native().sum_of_squares(pool.address, gradient.numel(), pointer(gradient))
        for gradient in gradients
    )
    return torch.tensor(math.sqrt(sum(squares)))


def _with_format_of(parameter: Tensor, tensor: Tensor) -> Tensor:
    if tensor.stride() == parameter.stride():
        return tensor
    return torch.empty_like(parameter).copy_(tensor)
