"""What a run was computed with, in the words of those who sell it."""

from __future__ import annotations

import platform
from pathlib import Path

from mario.system.threads import cores


def describe_hardware(device: str) -> str:
    """The processor's cores that this process may use, and the GPU if it computes with one.

    Args:
        device: a torch device, ``"cpu"`` or ``"cuda"``.

    >>> describe_hardware("cpu").split(" x ")[0] == str(cores())
    True
    """
    found = f"{cores()} x {_processor()}"
    if not device.startswith("cuda"):
        return found
    import torch  # not needed where there is no GPU to be named

    return f"{found}, {torch.cuda.get_device_name(device)}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
