"""The CPU and memory that this process may use, also inside a container."""

from __future__ import annotations

import math
import resource
from collections.abc import Iterator
from pathlib import Path

CGROUPS, PROC = Path("/sys/fs/cgroup"), Path("/proc")


def cpu_quota(cgroups: Path = CGROUPS, proc: Path = PROC) -> int | None:
    """Return the number of cores that control groups allow, rounded up, or None for no limit.

    Args:
        cgroups: where control groups are mounted.
        proc: where the process file system is mounted.
    """
    quotas = []
    for folder in _groups(cgroups, proc, "cpu"):
        words = _read(folder / "cpu.max").split()  # version 2: quota and period in microseconds
        if not words:
            words = [_read(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period")]
        if words[0].isdigit() and len(words) == 2 and words[1].isdigit() and int(words[1]):
            quotas.append(max(1, math.ceil(int(words[0]) / int(words[1]))))
    return min(quotas, default=None)


def available_memory(cgroups: Path = CGROUPS, proc: Path = PROC) -> int | None:
    """Return the bytes of memory that this process can still allocate, or None if unknown.

    Args:
        cgroups: where control groups are mounted.
        proc: where the process file system is mounted.
    """
    amounts = []
    for line in _read(proc / "meminfo").splitlines():
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            amounts.append(1024 * int(amount.split()[0]))
    for folder in _groups(cgroups, proc, "memory"):
        limit = _number(folder, "memory.max", "memory.limit_in_bytes")
        used = _number(folder, "memory.current", "memory.usage_in_bytes")
        if limit is not None and used is not None and limit < 2**60:
            # pages of files, such as the replay memory, are given up when memory is short
            amounts.append(max(0, limit - used + _file_pages(folder)))
    return min(amounts, default=None)


def allow_files(number: int) -> int:
    """Raise the limit of open files of this process as far as allowed.

    Args:
        number: number of files that it needs.

    Returns:
        The limit, which may be less than ``number``.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= number:
        return number if soft == resource.RLIM_INFINITY else soft
    allowed = number if hard == resource.RLIM_INFINITY else min(number, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


def _groups(cgroups: Path, proc: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of the control groups of this process and of their parents."""
    for line in _read(proc / "self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = cgroups / controller if controllers else cgroups
        folder = root / path.lstrip("/")
        # inside a container, the path may be that of the host; then only the root exists
        yield root
        while folder != root and root in folder.parents:
            yield folder
            folder = folder.parent


def _file_pages(folder: Path) -> int:
    for line in _read(folder / "memory.stat").splitlines():
        name, _, amount = line.partition(" ")
        if name in ("inactive_file", "total_inactive_file"):
            return int(amount)
    return 0


def _number(folder: Path, *names: str) -> int | None:
    for name in names:
        text = _read(folder / name)
        if text.isdigit():
            return int(text)
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
