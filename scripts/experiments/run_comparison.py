"""Compares two training runs bit for bit, without what depends on the time of day."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import torch

from mario.runs.checkpoint import load

TIMES = {"seconds", "TimeDelta", "Time", "file_sizes", "file_checksums"}
"""Columns and entries that depend on the time of day."""


def rows(path: Path) -> list[list[str]]:
    """Return the rows of a log without the header and the columns of `TIMES`."""
    if path.name == "log":
        lines = [line.split() for line in path.read_text().splitlines()]
    else:
        lines = list(csv.reader(path.read_text().splitlines()))
    return [
        [cell for name, cell in zip(lines[0], line, strict=True) if name not in TIMES]
        for line in lines[1:]
    ]


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Return the paths of all entries in which two states differ, except for `TIMES`."""
    if path.rsplit(".", 1)[-1] in TIMES:
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return [path]
        return [d for key in one for d in differences(one[key], other[key], f"{path}.{key}")]
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [path]
    if isinstance(one, list | tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [d for index, (a, b) in pairs for d in differences(a, b, f"{path}.{index}")]
    return [] if one == other else [path]


def run_differences(one: Path, other: Path) -> list[str]:
    """Return what differs between two runs: states, rows of logs, files of the replay memory."""
    found = differences(load(one / "last.chkpt"), load(other / "last.chkpt"))
    found += [name for name in ("log", "metrics.csv") if rows(one / name) != rows(other / name)]
    files, others = (
        {path.name: path.read_bytes() for path in (run / "memory").glob("*.memmap")}
        for run in (one, other)
    )
    return found + [name for name in files.keys() | others if files.get(name) != others.get(name)]
