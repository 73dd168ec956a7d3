"""Gradient updates, shared by all algorithms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, TypeVar

import torch
from tensordict import TensorDict
from torch import Tensor, nn

from agents.compute.adam import ParallelAdam, total_norm
from agents.compute.averaging import WeightAverage
from agents.compute.data_parallel import DataParallel, LossFn
from agents.compute.loss_scale import LossScale
from agents.compute.precision import ComputeCopy, Precision, resolve_precision

N = TypeVar("N", bound=nn.Module)

MAX_SKIPPED_UPDATES = 10
"""Number of consecutive skipped updates after which learning stops with an error."""

Exchange = Callable[[Sequence[Tensor], dict[str, float]], dict[str, float] | None]
"""Takes gradients and means; returns what `Learner.step` returns, after new weights are loaded."""


class Learner(Generic[N]):
    """Updates parameters: computes gradients, clips them and performs an optimizer step.

    The loss is computed in a chosen precision, by several threads on a CPU. An update is skipped
    and counted if the loss, another mean or the gradient norm is not finite.

    Args:
        network: the network, or the part of a network, that computes in ``precision``. Other
            parameters of the optimizer are used in float32.
        optimizer: the optimizer of all parameters to learn. A `ParallelAdam` uses the same threads.
        precision: see `agents.compute.precision.resolve_precision`.
        threads: number of threads on a CPU; ignored on a GPU.
        max_grad_norm: maximum gradient norm; None for no clipping.
        average: a weight average that is updated after each optimizer step.
        reduction: whether the gradient of a step is the mean or the sum over what it was computed
            from. It decides how gradients of several learners are combined.

    Attributes:
        network: the given network.
        optimizer: the given optimizer.
        average: the given weight average, or None.
        reduction: the given reduction.
        exchange: performs the steps of this learner elsewhere, from its gradients; None to perform
            them here.
        skipped_in_a_row: number of updates skipped since the last one that was performed.

    Raises:
        ValueError: the device does not support the precision.

    >>> network = nn.Linear(1, 1)
    >>> learner = Learner(network, torch.optim.SGD(network.parameters(), lr=0.1))
    >>> def loss_fn(batch):
    ...     return {"loss": learner.compute_network(batch["x"]).square().mean()}
    >>> sorted(learner.update(loss_fn, TensorDict({"x": torch.ones(2, 1)}, batch_size=[2])))
    ['grad_norm', 'loss']
    """

    def __init__(
        self,
        network: N,
        optimizer: torch.optim.Optimizer,
        precision: Precision = "float32",
        threads: int = 1,
        max_grad_norm: float | None = None,
        *,
        average: WeightAverage[Any] | None = None,
        reduction: Literal["mean", "sum"] = "mean",
    ) -> None:
        self.network, self.optimizer, self.reduction = network, optimizer, reduction
        self.exchange: Exchange | None = None
        self.skipped_in_a_row = 0
        self._max_grad_norm = max_grad_norm
        self.average = average
        self._device = next(network.parameters()).device.type
        self._parallel = DataParallel(threads if self._device == "cpu" else 1)
        if isinstance(optimizer, ParallelAdam):
            optimizer.pool = self._parallel.pool
        self._parameters = [each for group in optimizer.param_groups for each in group["params"]]
        self._gradients: list[Tensor] = []
        self._means: list[dict[str, Tensor]] = []
        self._compute_in(resolve_precision(precision, self._device))

    @property
    def compute_network(self) -> N:
        """The network in the precision of learning; the loss must be computed with it."""
        return self._copy.network

    @property
    def parameters(self) -> list[Tensor]:
        """The parameters of the optimizer, in its order."""
        return self._parameters

    @property
    def learning_rate(self) -> float:
        """The current learning rate."""
        return float(self.optimizer.param_groups[0]["lr"])

    def set_learning_rate(self, learning_rate: float) -> None:
        """Set the learning rate of all parameters."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate

    def update(self, loss_fn: LossFn, batch: TensorDict) -> dict[str, float] | None:
        """Perform one update with the gradient of the mean loss over a batch.

        Args:
            loss_fn: see `agents.compute.data_parallel.LossFn`.
            batch: at least one row.

        Returns:
            The means that ``loss_fn`` returned and ``grad_norm``, before clipping. None if the
            update was skipped because one of them is not finite.

        Raises:
            FloatingPointError: too many updates in a row were skipped.
        """
        self.accumulate(loss_fn, batch)
        return self.step()

    def accumulate(
        self, loss_fn: LossFn, batch: TensorDict, weight: float = 1.0
    ) -> dict[str, Tensor]:
        """Add the gradient of the mean loss over a batch to the gradients for the next `step`.

        Args:
            loss_fn: see `agents.compute.data_parallel.LossFn`.
            batch: at least one row.
            weight: factor of the gradient.

        Returns:
            The means that ``loss_fn`` returned, without a gradient.
        """
        means, gradients = self._parallel.gradients(
            loss_fn,
            batch,
            self._copy.parameters_for(self._parameters),
            num_parts=1 if self._copy.uses_pool else None,
            loss_scale=self._loss_scale.value,
        )
        factor = weight / self._loss_scale.value
        if factor != 1.0:
            gradients = list(torch._foreach_mul(gradients, factor))
        if self._gradients:
            self._gradients = list(torch._foreach_add(self._gradients, gradients))
        else:
            self._gradients = gradients
        self._means.append(means)
        return means

    def step(self) -> dict[str, float] | None:
        """Perform one update with the sum of the accumulated gradients.

        Returns:
            The averages of the accumulated means and ``grad_norm``, before clipping. None if the
            update was skipped because one of them is not finite.

        Raises:
            FloatingPointError: too many updates in a row were skipped.
        """
        gradients, self._gradients = self._gradients, []
        means = self._take_means()
        if self.exchange is None:
            return self.apply(gradients, means)
        norm = total_norm(gradients, self._parallel.pool)
        scalars = _to_floats({**means, "grad_norm": norm})
        self._loss_scale.update(all(map(math.isfinite, scalars.values())))
        scalars.pop("grad_norm")
        result = self.exchange(gradients, scalars)
        self._copy.update()
        return result

    def apply(
        self, gradients: Sequence[Tensor], means: dict[str, Tensor]
    ) -> dict[str, float] | None:
        """Perform one update with given gradients.

        Args:
            gradients: one for each of `parameters`.
            means: scalars to return with the gradient norm.

        Returns:
            What `step` returns.

        Raises:
            FloatingPointError: too many updates in a row were skipped.
        """
        norm = total_norm(gradients, self._parallel.pool)
        scalars = _to_floats({**means, "grad_norm": norm})
        finite = all(map(math.isfinite, scalars.values()))
        self._loss_scale.update(finite)
        if not finite:
            self._count_skipped(scalars)
            return None
        self.skipped_in_a_row = 0
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient
        if self._max_grad_norm is not None and scalars["grad_norm"] > self._max_grad_norm:
            nn.utils.clip_grads_with_norm_(self._parameters, self._max_grad_norm, norm)
        self.optimizer.step()
        self._copy.update()
        if self.average is not None:
            self.average.update()
        return scalars

    def discard(self) -> None:
        """Discard the accumulated gradients without an update."""
        self._gradients, self._means = [], []

    def sync(self) -> None:
        """Update the compute copy after weights were loaded or changed outside of `step`."""
        self._copy.sync()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of everything except the network."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "precision": str(self._copy.dtype).removeprefix("torch."),
            "loss_scale": self._loss_scale.state_dict(),
            "gradients": list(self._gradients),
            "skipped_in_a_row": self.skipped_in_a_row,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned, and compute in the saved precision from now on.

        Raises:
            ValueError: the device does not support the saved precision.
        """
        try:
            dtype = resolve_precision(state["precision"], self._device)
        except ValueError:
            raise ValueError(
                f"the run learns in {state['precision']}, which this {self._device} cannot compute "
                "in; resume it on hardware like that on which it was started"
            ) from None
        if dtype is not self._copy.dtype:
            self._compute_in(dtype)
        self.optimizer.load_state_dict(state["optimizer"])
        self._loss_scale.load_state_dict(state["loss_scale"])
        self._gradients = [gradient.to(self._device) for gradient in state["gradients"]]
        self.skipped_in_a_row = state["skipped_in_a_row"]

    def close(self) -> None:
        """Stop the threads. It is safe to call this more than once."""
        self._parallel.close()

    def _compute_in(self, dtype: torch.dtype) -> None:
        self._copy = ComputeCopy(self.network, dtype, self._parallel.pool)
        self._loss_scale = LossScale(dynamic=dtype is torch.float16)

    def _take_means(self) -> dict[str, Tensor]:
        """Remove the accumulated means and return their averages."""
        all_means, self._means = self._means, []
        names = all_means[0] if all_means else ()  # empty right after resuming
        return {name: torch.stack([means[name] for means in all_means]).mean(0) for name in names}

    def _count_skipped(self, scalars: dict[str, float]) -> None:
        self.skipped_in_a_row += 1
        if self.skipped_in_a_row >= MAX_SKIPPED_UPDATES:
            raise FloatingPointError(
                f"{self.skipped_in_a_row} updates in a row were not finite (loss "
                f"{scalars.get('loss')}, gradient norm {scalars['grad_norm']}); lower "
                "learning_rate or max_grad_norm"
            )


def _to_floats(scalars: dict[str, Tensor]) -> dict[str, float]:
    """Return scalars as floats. This is the only point in an update that waits for the GPU."""
    return dict(zip(scalars, torch.stack(list(scalars.values())).tolist(), strict=True))
