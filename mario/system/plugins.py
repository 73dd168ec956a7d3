"""Code of users: modules that lie in the current folder."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

HERE = ""


def load_plugin(module: str) -> ModuleType:
    """Import a module that may lie in the current folder, behind all that is installed.

    Before it, a file that happens to be named as a library is would be taken for that.

    Raises:
        ImportError: there is none, or it cannot be imported.
    """
    if HERE not in sys.path:
        sys.path.append(HERE)
    return importlib.import_module(module)
