"""Loads code of the user from modules in the current folder or on ``PYTHONPATH``.

Errors in such code are described by their place in it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import sysconfig
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from mario.errors import MAX_HINTS, UsageError, similar

T = TypeVar("T")

CURRENT_FOLDER = ""

PACKAGES = [Path(__file__).parents[2] / name for name in ("agents", "mario", "wrappers")]
LIBRARIES = [
    Path(path)
    for name, path in sysconfig.get_paths().items()
    if name in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")
]


def load_plugin(module: str) -> ModuleType:
    """Import a module, which may lie in the current folder.

    The current folder comes last in ``sys.path``, so that a file in it cannot hide a library of
    the same name.

    Raises:
        ImportError: there is no such module, or it cannot be imported.
    """
    _search_current_folder()
    return importlib.import_module(module)


def check_module(flag: str, reference: str) -> None:
    """Check that the module of a class exists, without importing it.

    Args:
        flag: the flag that names the class, for error messages.
        reference: ``"module:Class"``.

    Raises:
        UsageError: there is no such module.

    >>> check_module("--agent", "colections:Counter")
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: agent colections:Counter: there is no module 'colections'; is its \
folder on PYTHONPATH?
    """
    module, _, name = reference.partition(":")
    if not (module and name):
        raise UsageError(f"{flag} {reference}: give it as module:Class")
    _search_current_folder()
    top = module.partition(".")[0]
    if top in sys.modules or importlib.util.find_spec(top) is not None:
        return
    files = [file.stem for file in Path().glob("*.py")]
    hint = " or ".join(repr(each) for each in similar(top, files))
    remedy = f"did you mean {hint}?" if hint else "is its folder on PYTHONPATH?"
    raise UsageError(f"{flag} {reference}: there is no module {top!r}; {remedy}")


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
    mario.errors.UsageError: agent collections:Couter: collections has no 'Couter'; did you mean \
'Counter'?
    """
    check_module(flag, reference)
    module, _, name = reference.partition(":")
    try:
        loaded = getattr(load_plugin(module), name)
    except ImportError as error:
        raise UsageError(f"{flag} {reference}: {error}; is its folder on PYTHONPATH?") from None
    except AttributeError:
        hint = _class_hint(load_plugin(module), name, base)
        raise UsageError(f"{flag} {reference}: {module} has no {name!r}; {hint}") from None
    if not (isinstance(loaded, type) and issubclass(loaded, base)):
        parent = f"{base.__module__.partition('.')[0]}.{base.__qualname__}"
        raise UsageError(f"{flag} {reference}: {name} is not a subclass of {parent}")
    return loaded


def _class_hint(module: ModuleType, name: str, base: type[Any]) -> str:
    """Return which subclasses of a class a module defines, the most similar names first."""
    classes = [
        key
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    ]
    names = similar(name, classes) or classes[:MAX_HINTS]
    if not names:
        return f"it defines no subclass of {base.__qualname__}"
    return f"did you mean {' or '.join(map(repr, names))}?"


def describe_own_error(error: BaseException) -> tuple[str, str] | None:
    """Return where in code of the user an error was raised or caused.

    Args:
        error: the error.

    Returns:
        The traceback from the user's code on, and the file and the line in one line; or None if
        the error has nothing to do with code of the user.
    """
    frames = list(traceback.extract_tb(error.__traceback__))
    own = [index for index, frame in enumerate(frames) if _is_own(frame.filename)]
    if own:
        place = f"{frames[own[-1]].filename}, line {frames[own[-1]].lineno}"
        return "".join(traceback.format_list(frames[own[0] :])), place
    if isinstance(error, SyntaxError) and error.filename and _is_own(error.filename):
        return "", f"{error.filename}, line {error.lineno}"
    return None


def _is_own(filename: str) -> bool:
    """Return whether a source file is neither part of this project nor of a library."""
    path = Path(filename)
    return not filename.startswith("<") and not any(
        path.is_relative_to(folder) for folder in (*PACKAGES, *LIBRARIES)
    )


def _search_current_folder() -> None:
    if CURRENT_FOLDER not in sys.path:
        sys.path.append(CURRENT_FOLDER)
