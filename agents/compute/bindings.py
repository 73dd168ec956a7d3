"""The compiled code of this package, and the threads that its work is shared by."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

from torch import Tensor


class ThreadPool:
    """Threads that share compiled work; one piece of it at a time.

    Args:
        threads: how many, the one that calls among them.

    Raises:
        OSError: the system has no threads left.
    """

    def __init__(self, threads: int = 1) -> None:
        self.address = ctypes.c_void_p(native().team_new(threads))
        if not self.address:
            raise OSError(f"the system cannot start {threads} threads; give fewer")
        weakref.finalize(self, native().team_delete, self.address)


def native() -> ctypes.CDLL:
    """The compiled functions, which `is_compiled` says whether there are."""
    library = _library()
    assert library is not None, "ask is_compiled first"
    return library


def is_compiled() -> bool:
    """Whether this package was installed with its compiled functions."""
    return _library() is not None


def supports_float16() -> bool:
    """Whether this processor and the build of this package can compute in halves."""
    return is_compiled() and bool(native().halves_supported())


def at(tensor: Tensor) -> ctypes.c_void_p:
    """Where a tensor begins."""
    return ctypes.c_void_p(tensor.data_ptr())


def all_at(tensors: Sequence[Tensor]) -> Any:
    """Where each of some tensors begins."""
    return (ctypes.c_void_p * len(tensors))(*(each.data_ptr() for each in tensors))


@cache
def _library() -> ctypes.CDLL | None:
    spec = find_spec("agents.compute._native")
    if spec is None or spec.origin is None:
        return None
    library = ctypes.CDLL(spec.origin)
    whole, size, real = ctypes.c_int64, ctypes.c_int, ctypes.c_double
    address = ctypes.c_void_p
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "team_new": (address, [size]),
        "team_delete": (None, [address]),
        "squares": (real, [address, whole, address]),
        "adam": (None, [address, whole, *[address] * 4, *[real] * 5]),
        "cnn_weight_count": (whole, [size]),
        "cnn_kept_count": (whole, [size]),
        "cnn_sums_count": (whole, [size]),
        "cnn_weights": (None, [address, size, *[address] * 4]),
        "cnn_forward": (None, [address, size, whole, address, whole, *[address] * 4]),
        "cnn_backward": (None, [address, size, whole, address, whole, *[address] * 6]),
        "linear_weight_count": (whole, [size, size]),
        "linear_weights": (None, [address, size, size, address, address]),
        "linear_forward": (None, [address, whole, size, size, *[address] * 4]),
        "linear_backward": (None, [address, whole, size, size, *[address] * 6]),
    }
    for name, (result, arguments) in signatures.items():
        if hasattr(library, name):  # those in halves are not on every processor
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    return library
