"""A description of the hardware."""

from __future__ import annotations

import platform
from pathlib import Path

from mario.system.threads import available_cores


def describe_hardware(device: str) -> str:
    """Return the number of usable cores, the name of the processor, and the GPU if it is used.

    Args:
        device: a torch device, ``"cpu"`` or ``"cuda"``.

    >>> describe_hardware("cpu").split(" x ")[0] == str(available_cores())
    True
    """
    description = f"{available_cores()} x {_processor()}"
    if not device.startswith("cuda"):
        return description
    import torch  # only needed for the name of the GPU

    return f"{description}, {torch.cuda.get_device_name(device)}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
