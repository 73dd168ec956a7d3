"""Loads code of the user from modules in the current folder or on ``PYTHONPATH``."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TypeVar

from mario.errors import UsageError

T = TypeVar("T")

CURRENT_FOLDER = ""


def load_plugin(module: str) -> ModuleType:
    """Import a module, which may lie in the current folder.

    The current folder comes last in ``sys.path``, so that a file in it cannot hide a library of
    the same name.

    Raises:
        ImportError: there is no such module, or it cannot be imported.
    """
    if CURRENT_FOLDER not in sys.path:
        sys.path.append(CURRENT_FOLDER)
    return importlib.import_module(module)


def load_class(flag: str, reference: str, base: type[T]) -> type[T]:
    """Import a class.

    Args:
        flag: the flag that names the class, for error messages.
        reference: ``"module:Class"``.
        base: the class that it must be a subclass of.

    Raises:
        UsageError: there is no such class, or it is not a subclass of ``base``.

    >>> load_class("--agent", "collections:Counter", dict)
    <class 'collections.Counter'>
    >>> load_class("--agent", "collections:Couter", dict)
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: --agent collections:Couter: collections has no 'Couter'
    """
    module, _, name = reference.partition(":")
    if not (module and name):
        raise UsageError(f"{flag} {reference}: give it as module:Class")
    try:
        loaded = getattr(load_plugin(module), name)
    except ImportError as error:
        raise UsageError(f"{flag} {reference}: {error}; is its folder on PYTHONPATH?") from None
    except AttributeError:
        raise UsageError(f"{flag} {reference}: {module} has no {name!r}") from None
    if not (isinstance(loaded, type) and issubclass(loaded, base)):
        parent = f"{base.__module__}.{base.__qualname__}"
        raise UsageError(f"{flag} {reference}: {name} is not a subclass of {parent}")
    return loaded
