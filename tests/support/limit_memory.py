"""Lets large allocations fail."""

from __future__ import annotations

import resource
from pathlib import Path


def limit_memory(limit):
    """Let the process allocate at most ``limit`` more bytes: the body of a fixture."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + limit, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)
