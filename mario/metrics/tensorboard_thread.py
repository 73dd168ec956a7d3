"""Keeps errors of TensorBoard's writing thread off the screen."""

from __future__ import annotations

import threading
from functools import cache


@cache
def hide_writer_errors() -> None:
    """Do not print the traceback of an `OSError` that ends a thread of TensorBoard.

    The thread passes the error on: the next call of the ``SummaryWriter`` raises it.
    """
    print_error = threading.excepthook

    def handle(arguments: threading.ExceptHookArgs) -> None:
        """Print the traceback of any other error."""
        module = type(arguments.thread).__module__
        if not (issubclass(arguments.exc_type, OSError) and module.startswith("tensorboard.")):
            print_error(arguments)

    threading.excepthook = handle
