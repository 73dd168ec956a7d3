"""Conversion between configuration dataclasses and the plain values of YAML and checkpoints."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from mario.errors import UsageError, unknown

T = TypeVar("T")

TYPES = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    Path: "a path",
    types.NoneType: "None",
}
"""The types of fields in words, for error messages."""


def to_dict(config: object) -> dict[str, Any]:
    """Return a configuration as dicts, lists, numbers and strings."""
    assert dataclasses.is_dataclass(config)
    return {item.name: _plain(getattr(config, item.name)) for item in dataclasses.fields(config)}


def from_dict(config_type: type[T], values: Mapping[str, Any], prefix: str = "") -> T:
    """Make a configuration from plain values; missing fields keep their defaults.

    Args:
        config_type: the dataclass.
        values: values by field name.
        prefix: prefix of the field names in error messages, e.g. ``"hyper."``.

    Raises:
        UsageError: a name is unknown, or a value has the wrong type or is out of range.
    """
    if not isinstance(values, Mapping):
        raise UsageError(f"{prefix.rstrip('.') or 'the configuration'} cannot be {values!r}")
    hints = typing.get_type_hints(config_type)
    known = {item.name for item in dataclasses.fields(config_type)}  # type: ignore[arg-type]
    arguments = {}
    for name, value in values.items():
        if name not in known:
            raise unknown("setting", f"{prefix}{name}", [f"{prefix}{field}" for field in known])
        arguments[name] = _convert(hints[name], value, f"{prefix}{name}")
    return config_type(**arguments)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _convert(hint: Any, value: Any, name: str) -> Any:
    """Convert a plain value to the type of its field."""
    if isinstance(hint, TypeVar):
        return value
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return from_dict(hint, value, f"{name}.")
    options = typing.get_args(hint) if _is_union(hint) else (hint,)
    for option in options:
        if option is type(None):
            if value is None:
                return None
        elif (converted := _convert_to(option, value)) is not None:
            return converted
    expected = " or ".join(_type_name(option) for option in options)
    raise UsageError(f"{name} cannot be {value!r}; give {expected}")


def _convert_to(hint: Any, value: Any) -> Any:
    """Convert a value to a type, or return None if it does not fit.

    Text is converted to float, because YAML reads ``1e-4`` as text. Lists are converted to tuples,
    because YAML has no tuples.
    """
    origin = typing.get_origin(hint)
    if origin is Literal:
        return value if value in typing.get_args(hint) else None
    if origin is tuple:
        return _nested_tuple(value) if isinstance(value, list | tuple) else None
    if hint is bool or isinstance(value, bool):
        return value if hint is bool and isinstance(value, bool) else None
    if (hint is float and isinstance(value, int | float | str)) or hint is Path:
        try:
            return hint(value)
        except (TypeError, ValueError):
            return None
    return value if isinstance(value, hint) else None


def _nested_tuple(value: Any) -> Any:
    """Convert nested lists to nested tuples."""
    return tuple(map(_nested_tuple, value)) if isinstance(value, list | tuple) else value


def _type_name(hint: Any) -> str:
    if typing.get_origin(hint) is Literal:
        return " or ".join(map(repr, typing.get_args(hint)))
    if hint in TYPES:
        return TYPES[hint]
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)
