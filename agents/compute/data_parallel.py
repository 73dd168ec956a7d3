"""Threads that share a batch: each learns from a part of it, and their gradients are added up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from tensordict import TensorDict
from torch import Tensor

from agents.agent import AgentSpec
from agents.compute.bindings import ThreadPool, is_compiled

LossFn = Callable[[TensorDict], Tensor]
"""Gives means over a batch, in one tensor ``(n,)``; the first is what is to become less."""


class DataParallel:
    """Computes gradients with several threads that meet once an update.

    Torch's own threads meet at every layer, and in some convolutions spin until all are there.
    Beside games that use the same cores, two were seen to be ten times as slow as one. So torch is
    to have one thread, ``torch.set_num_threads(1)``, wherever a parallel has several.

    Args:
        threads: how many, the one that calls `gradients` among them.

    Attributes:
        pool: as many threads for compiled work, or None where this package is not compiled.
    """

    @classmethod
    def of(cls, spec: AgentSpec) -> DataParallel:
        """As many threads as there are to be; on a GPU, which shares the work itself, one."""
        return cls(spec.threads if spec.device == "cpu" else 1)

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self.pool = ThreadPool(threads) if is_compiled() else None
        self._others = ThreadPoolExecutor(max(1, threads - 1), thread_name_prefix="learner")

    def gradients(
        self,
        means: LossFn,
        batch: TensorDict,
        parameters: Sequence[Tensor],
        parts: int | None = None,
    ) -> tuple[Tensor, list[Tensor]]:
        """Compute the gradient of the first mean over the batch.

        The same threads and batch give the same numbers, whichever thread is done first.

        Args:
            means: is called with each part of the batch, by several threads at a time.
            batch: at least one row.
            parameters: all that ``means`` depends on and that is to learn.
            parts: how many the batch is cut into; None for one for each thread.

        Returns:
            The means over the whole batch, and for each parameter the gradient of the first of
            them, float32 whatever the parameter is.
        """

        def part_of_all(part: TensorDict) -> tuple[Tensor, list[Tensor]]:
            """What a part adds to the means, and to the gradient of the first."""
            shares = means(part) * (len(part) / len(batch))
            gradients = torch.autograd.grad(shares[0], parameters)
            return shares.detach(), [each.float() for each in gradients]

        parts = parts or self._threads
        first, *others = batch.chunk(parts) if parts > 1 else [batch]
        waiting = [self._others.submit(part_of_all, part) for part in others]
        total, gradients = part_of_all(first)
        for part in waiting:
            shares, more = part.result()
            total = total + shares
            self._add(gradients, more)
        return total, gradients

    def _add(self, gradients: list[Tensor], addends: list[Tensor]) -> None:
        """Add to each gradient, every thread to a stripe of it."""

        def add(stripe: int) -> None:
            """Add one stripe of all."""
            for gradient, addend in zip(gradients, addends, strict=True):
                mine, theirs = (
                    (each if each.dim() else each[None]).tensor_split(self._threads)
                    for each in (gradient, addend)
                )
                mine[stripe].add_(theirs[stripe])

        waiting = [self._others.submit(add, stripe) for stripe in range(1, self._threads)]
        add(0)
        for stripe in waiting:
            stripe.result()

    def close(self) -> None:
        """End the threads. Closing twice is harmless."""
        self._others.shutdown()
