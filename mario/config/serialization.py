"""Configurations as plain values and back, as YAML and checkpoints hold them."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from mario.errors import UsageError, unknown

T = TypeVar("T")


def to_dict(config: object) -> dict[str, Any]:
    """A configuration as plain values that YAML and checkpoints hold."""
    assert dataclasses.is_dataclass(config)
    return {item.name: _plain(getattr(config, item.name)) for item in dataclasses.fields(config)}


def from_dict(kind: type[T], values: Mapping[str, Any], where: str = "") -> T:
    """Make a configuration from plain values; what is not given keeps its default.

    Raises:
        UsageError: an unknown name, or a value that does not fit.
    """
    hints = typing.get_type_hints(kind)
    known = {item.name for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    arguments = {}
    for name, value in values.items():
        if name not in known:
            raise unknown("setting", f"{where}{name}", [f"{where}{each}" for each in known])
        arguments[name] = _fit(hints[name], value, f"{where}{name}")
    return kind(**arguments)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value


def _fit(hint: Any, value: Any, where: str) -> Any:
    """A plain value as the type of its field; YAML gives 1e-4 as text and tuples as lists."""
    if isinstance(hint, TypeVar):
        return value
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return from_dict(hint, value, f"{where}.")
    options = typing.get_args(hint) if _is_union(hint) else (hint,)
    for option in options:
        if option is type(None):
            if value is None:
                return None
        elif (fitted := _as(option, value)) is not None:
            return fitted
    raise UsageError(f"{where} cannot be {value!r}")


def _as(hint: Any, value: Any) -> Any:
    """``value`` as a ``hint``, or None if it is none."""
    origin = typing.get_origin(hint)
    if origin is Literal:
        return value if value in typing.get_args(hint) else None
    if origin is tuple:
        return _tuple(value) if isinstance(value, list | tuple) else None
    if hint is bool or isinstance(value, bool):
        return value if hint is bool and isinstance(value, bool) else None
    if (hint is float and isinstance(value, int | float | str)) or hint is Path:
        try:
            return hint(value)
        except (TypeError, ValueError):
            return None
    return value if isinstance(value, hint) else None


def _tuple(values: Any) -> Any:
    """Lists within lists as tuples within tuples."""
    return tuple(map(_tuple, values)) if isinstance(values, list | tuple) else values


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)
