"""Adam, whose steps several threads share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from agents.compute.bindings import ThreadPool, at, native


class ParallelAdam(torch.optim.Adam):
    """Torch's Adam, whose steps a pool shares on a CPU.

    A step reads and writes seven numbers for each weight: two cores, each with its own way to the
    memory, took 1.4 ms for 3.3 million weights where one took 2.3. Kingma & Ba 2014,
    https://arxiv.org/abs/1412.6980, algorithm 1, without decay of weights. Its state is that of
    torch's, and each may go on with the other's.

    Args:
        parameters: what learns.
        pool: shares each step; None leaves all to torch.
        lr: step size.
        eps: what is added to the root of the mean squared gradient that is divided by.
    """

    def __init__(
        self, parameters: Iterable[Tensor], pool: ThreadPool | None, lr: float, eps: float
    ) -> None:
        super().__init__(parameters, lr=lr, eps=eps, fused=True)
        self._team = pool

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make a step; the first is torch's own, which makes the moments."""
        given = None if closure is None else closure()
        learning = [(each, group) for group in self.param_groups for each in group["params"]]
        for parameter, _ in learning:
            self._lay_out(parameter)
        if not all(self._can_be_shared(parameter) for parameter, _ in learning):
            super().step()
            return given
        for parameter, group in learning:
            self._learn(parameter, group)
        return given

    def _lay_out(self, parameter: Tensor) -> None:
        """Bring gradient and moments into the parameter's order in memory.

        Torch's fused step takes the numbers in the order they lie in: a gradient that lies in
        another, as those of convolutions may, would teach each weight what another should learn.
        """
        if parameter.grad is not None:
            parameter.grad = _like(parameter.grad, parameter)
        state = self.state.get(parameter, {})
        for name in ("exp_avg", "exp_avg_sq"):
            if name in state:
                state[name] = _like(state[name], parameter)

    def _can_be_shared(self, parameter: Tensor) -> bool:
        if self._team is None or not self.state.get(parameter) or parameter.grad is None:
            return False
        return parameter.is_cpu and parameter.dtype is parameter.grad.dtype is torch.float32

    def _learn(self, parameter: Tensor, group: dict[str, Any]) -> None:
        gradient, state = parameter.grad, self.state[parameter]
        assert self._team is not None
        assert gradient is not None
        state["step"] += 1
        native().adam(
            self._team.address, parameter.numel(), at(parameter), at(gradient),
            at(state["exp_avg"]), at(state["exp_avg_sq"]), state["step"].item(), group["lr"],
            *group["betas"], group["eps"],
        )  # fmt: skip


def total_norm(gradients: Sequence[Tensor], pool: ThreadPool | None) -> Tensor:
    """The length of all gradients as one vector, on their device.

    Args:
        gradients: of any shapes.
        pool: shares the work on a CPU; None leaves it to torch.
    """
    dense = all(each.is_cpu and each.is_contiguous() for each in gradients)
    if pool is None or not dense or any(each.dtype is not torch.float32 for each in gradients):
        return nn.utils.get_total_norm(gradients)
    squares = (native().squares(pool.address, each.numel(), at(each)) for each in gradients)
    return torch.tensor(math.sqrt(sum(squares)))


def _like(tensor: Tensor, parameter: Tensor) -> Tensor:
    """The tensor, its numbers in the parameter's order in memory."""
    if tensor.stride() == parameter.stride():
        return tensor
    return torch.empty_like(parameter).copy_(tensor)
