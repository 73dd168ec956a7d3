"""Damages files in the ways that disks, crashes and users do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def _flip_middle_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    if content:
        content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _replace(path: Path, replacement: Callable[[], object]) -> None:
    path.unlink()
    replacement()


def _forbid_reading(path: Path) -> None:
    """Remove all permissions; the superuser would read it anyway, and gets zeros."""
    if os.geteuid() == 0:
        KINDS["zeroed"](path)
    path.chmod(0)


KINDS: dict[str, Callable[[Path], object]] = {
    "truncated": lambda path: os.truncate(path, path.stat().st_size // 2),
    "flipped": _flip_middle_bit,
    "zeroed": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "empty": lambda path: path.write_bytes(b""),
    "removed": lambda path: path.unlink(),
    "folder": lambda path: _replace(path, path.mkdir),
    "link": lambda path: _replace(path, lambda: path.symlink_to(path.parent / "nowhere")),
    "unreadable": _forbid_reading,
}
"""Functions that damage a file."""


def damage(path: Path, kind: str) -> None:
    """Damage a file in place, where ``kind`` is one of `KINDS`."""
    KINDS[kind](path)
