"""Process settings for fast learning."""

from __future__ import annotations

import torch

from mario.system.allocator import keep_freed_memory


def tune_process() -> None:
    """Set up this thread, and threads that it starts later, for fast learning.

    * Torch gets one thread, because agents split their batches over threads of their own.
    * Freed memory is kept, see `mario.system.allocator`.
    * Denormal floats (below 1e-38) become 0. Adam's moments of weights without a gradient decay to
      denormals, on which processors are twenty times slower. That cost a quarter of a run.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    torch.set_flush_denormal(True)
