"""The versions that the processes of a run must share."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("torch", "numpy", "gymnasium")
PROGRAM = ("agents", "mario", "wrappers")


@cache
def running_versions() -> dict[str, str]:
    """Return the versions of Python, of the packages that learning depends on, and of the program.

    The version of the program is a digest of its source files, because two copies of it can differ
    although they have the same version number.
    """
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{package: version(package) for package in PACKAGES},
        "program": _digest(),
    }


def describe_mismatch(own: dict[str, str], other: dict[str, str]) -> str | None:
    """Return how the versions of a worker differ from those of the driver, None if they do not.

    >>> describe_mismatch({"torch": "2.14"}, {"torch": "2.13"})
    'torch 2.13, the driver has 2.14'
    """
    names = [name for name in own if own[name] != other.get(name)]
    return (
        "; ".join(
            f"{name} {other.get(name, 'missing')}, the driver has {own[name]}" for name in names
        )
        or None
    )


def _digest() -> str:
    """Return a digest of the source files, without importing them, which takes seconds."""
    digest = hashlib.sha256()
    for package in PROGRAM:
        spec = find_spec(package)
        assert spec is not None
        root = Path(str(spec.origin)).parent
        for path in sorted(root.rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
