"""Gradients of a batch that several threads compute, each for a part of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from tensordict import TensorDict
from torch import Tensor

from agents.compute.bindings import ThreadPool, is_compiled

LossFn = Callable[[TensorDict], dict[str, Tensor]]
"""Returns scalar means over a batch by name. The one named ``loss`` is minimized."""


class DataParallel:
    """Computes gradients with several threads that synchronize once per update.

    Torch's own threads synchronize at every layer, and some convolutions busy-wait for them. Beside
    games on the same cores, two of them were ten times as slow as one. So give torch one thread,
    ``torch.set_num_threads(1)``, when there are several here.

    Args:
        threads: number of threads, including the one that calls `gradients`.

    Attributes:
        pool: as many native threads for compiled functions, or None if there are none.
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

        The result depends on the number of threads, but not on which of them finishes first.

        Args:
            loss_fn: is called with each part of the batch, by several threads at once.
            batch: at least one row.
            parameters: parameters to differentiate with respect to.
            num_parts: number of parts to split the batch into; None for one per thread.
            loss_scale: factor of the loss, and so of the gradients, but not of the returned means.

        Returns:
            The means over the whole batch, and a float32 gradient for each parameter.
        """
        num_parts = num_parts or self._threads
        parts = batch.chunk(num_parts) if num_parts > 1 else [batch]

        def compute(part: TensorDict) -> tuple[dict[str, Tensor], list[Tensor]]:
            """Return what a part contributes to the means and to the gradients."""
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
        """Add to each gradient in place; every thread adds a stripe of each."""

        def add_stripe(stripe: int) -> None:
            """Add one of `threads` parts of every gradient."""
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
        """End the threads. Closing twice is harmless."""
        self._executor.shutdown()
