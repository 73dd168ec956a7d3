"""Computes the gradient of a batch with several threads, each for a part of the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from tensordict import TensorDict
from torch import Tensor

from agents.compute.bindings import ThreadPool, is_compiled

LossFn = Callable[[TensorDict], dict[str, Tensor]]
"""A function that returns scalar means over a batch by name; the mean ``loss`` is minimized."""


class DataParallel:
    """Computes gradients with several threads that synchronize once per update.

    Torch's own threads synchronize at every layer, and some convolutions busy-wait for them. When
    games ran on the same cores, two of torch's threads were ten times slower than one. Therefore
    call ``torch.set_num_threads(1)`` if ``threads`` is greater than 1.

    Args:
        threads: number of threads, including the one that calls `gradients`.

    Attributes:
        pool: native threads for the compiled functions, as many as ``threads``; None if the package
            was installed without these functions.
    """

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self.pool = ThreadPool(threads) if is_compiled() else None
        self._executor = ThreadPoolExecutor(max(1, threads - 1), thread_name_prefix="learner")

    def gradients(
        self,
        loss_fn: LossFn,
        batch: TensorDict,
        parameters: Sequence[Tensor],
        num_parts: int | None = None,
        loss_scale: float = 1.0,
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Compute the gradient of the mean loss over a batch.

        The result depends on the number of parts, but not on the order in which threads finish.

        Args:
            loss_fn: called with each part of the batch, by several threads concurrently.
            batch: at least one row.
            parameters: parameters to differentiate with respect to.
            num_parts: number of parts to split the batch into; None for one per thread.
            loss_scale: factor of the loss, and thus of the gradients, but not of the returned
                means.

        Returns:
            The means over the whole batch, and a float32 gradient for each parameter.
        """
        num_parts = num_parts or self._threads
        parts = batch.chunk(num_parts) if num_parts > 1 else [batch]

        def compute(part: TensorDict) -> tuple[dict[str, Tensor], list[Tensor]]:
            """Return the contribution of a part to the means and to the gradients."""
            fraction = len(part) / len(batch)
            means = {name: mean * fraction for name, mean in loss_fn(part).items()}
            loss = means["loss"] if loss_scale == 1.0 else means["loss"] * loss_scale
            gradients = torch.autograd.grad(loss, parameters)
            return (
                {name: mean.detach() for name, mean in means.items()},
                [gradient.float() for gradient in gradients],
            )

        futures = [self._executor.submit(compute, part) for part in parts[1:]]
        means, gradients = compute(parts[0])
        for future in futures:
            part_means, part_gradients = future.result()
            means = {name: mean + part_means[name] for name, mean in means.items()}
            self._add(gradients, part_gradients)
        return means, gradients

    def _add(self, gradients: list[Tensor], addends: list[Tensor]) -> None:
        """Add to the gradients in place; each thread adds one stripe of every gradient."""

        def add_stripe(stripe: int) -> None:
            """Add one stripe of every gradient."""
            for pair in zip(gradients, addends, strict=True):
                gradient, addend = (
                    (tensor if tensor.dim() else tensor[None]).tensor_split(self._threads)[stripe]
                    for tensor in pair
                )
                gradient.add_(addend)

        futures = [self._executor.submit(add_stripe, index) for index in range(1, self._threads)]
        add_stripe(0)
        for future in futures:
            future.result()

    def close(self) -> None:
        """Stop the threads. It is safe to call this more than once."""
        self._executor.shutdown()
