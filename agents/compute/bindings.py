"""Loads the compiled functions of this package, and wraps their thread pool."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

from torch import Tensor

POOL_FUNCTIONS = (
    "sum_of_squares", "adam_step", "cnn_pack_weights", "cnn_forward", "cnn_backward",
    "linear_pack_weights", "linear_forward", "linear_backward",
)  # fmt: skip
"""Functions that run in the threads of the pool that is their first argument."""

OUT_OF_MEMORY = 1
"""Result of ``thread_pool_error`` if memory ran out."""


class ThreadPool:
    """A pool of native threads for the compiled functions. It runs one function at a time.

    Args:
        threads: number of threads, including the calling one.

    Raises:
        OSError: the system cannot start the threads.
    """

    def __init__(self, threads: int = 1) -> None:
        self.address = ctypes.c_void_p(native().thread_pool_new(threads))
        if not self.address:
            raise OSError(f"the system cannot start {threads} threads; give fewer")
        weakref.finalize(self, native().thread_pool_delete, self.address)


def native() -> ctypes.CDLL:
    """Return the compiled functions. Call this only if `is_compiled` returns True."""
    library = _library()
    assert library is not None, "check is_compiled() first"
    return library


def is_compiled() -> bool:
    """Return whether this package was installed with its compiled functions."""
    return _library() is not None


def supports_float16() -> bool:
    """Return whether the processor and the compiled functions support float16 layers."""
    return is_compiled() and bool(native().float16_supported())


def pointer(tensor: Tensor) -> ctypes.c_void_p:
    """Return the address of a tensor's first element."""
    return ctypes.c_void_p(tensor.data_ptr())


def pointers(tensors: Sequence[Tensor]) -> Any:
    """Return a C array of the addresses of the tensors' first elements."""
    return (ctypes.c_void_p * len(tensors))(*(tensor.data_ptr() for tensor in tensors))


@cache
def _library() -> ctypes.CDLL | None:
    spec = find_spec("agents.compute._native")
    if spec is None or spec.origin is None:
        return None
    library = ctypes.CDLL(spec.origin)
    address, int32, int64 = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
    float64 = ctypes.c_double
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "thread_pool_new": (address, [int32]),
        "thread_pool_delete": (None, [address]),
        "thread_pool_error": (int32, [address]),
        "sum_of_squares": (float64, [address, int64, address]),
        "adam_step": (None, [address, int64, *[address] * 4, *[float64] * 5]),
        "cnn_packed_size": (int64, [int32]),
        "cnn_activations_size": (int64, [int32]),
        "cnn_gradient_sums_size": (int64, [int32]),
        "cnn_pack_weights": (None, [address, int32, *[address] * 4]),
        "cnn_forward": (None, [address, int32, int64, address, int64, *[address] * 4]),
        "cnn_backward": (None, [address, int32, int64, address, int64, *[address] * 6]),
        "linear_packed_size": (int64, [int32, int32]),
        "linear_pack_weights": (None, [address, int32, int32, address, address]),
        "linear_forward": (None, [address, int64, int32, int32, *[address] * 4]),
        "linear_backward": (None, [address, int64, int32, int32, *[address] * 6]),
    }
    for name, (result, arguments) in signatures.items():
        if hasattr(library, name):  # float16 functions exist on some platforms only
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
            if name in POOL_FUNCTIONS:
                function.errcheck = _raise_pool_error
    return library


def _raise_pool_error(result: Any, function: object, arguments: tuple[Any, ...]) -> Any:
    """Return the result of a function, unless there was an error in it."""
    code = native().thread_pool_error(arguments[0])
    if code == OUT_OF_MEMORY:
        raise MemoryError("the compiled functions ran out of memory")
    if code:
        raise RuntimeError("the compiled functions raised an exception")
    return result
