"""Settings of the process that learning is fastest with."""

from __future__ import annotations

import torch

from mario.system.allocator import keep_freed_memory


def tune_process() -> None:
    """Set up this thread, and those that it starts from now on, to learn fast.

    Torch gets one thread, since agents share their batches among threads of their own. Freed memory
    is kept, see `mario.system.allocator`. Numbers below the smallest normal one, 1e-38, become 0: Adam's
    moments of weights without a gradient decay to such numbers and then stay there, and processors
    take twenty times as long for them. A quarter of a run went into that.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    torch.set_flush_denormal(True)
