"""Saves and restores an object by its attributes, so that agents need no saving code.

An attribute belongs to the state if it is

* an object with ``state_dict`` and ``load_state_dict``: a module, an optimizer, a replay buffer;
* a random number generator of NumPy, PyTorch or Python's `random`;
* a tensor or an array;
* a number, a text or None, or a tuple of these.

Attributes of other immutable types, such as configurations and functions, are constants that need
no saving. Any other attribute is rejected, because it could change without being saved.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Protocol, get_args, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from agents.rng import Generator, generator_state, set_generator_state

ARRAY = "array"
"""Key under which a NumPy array or scalar is saved, to distinguish it from a tensor or number."""

SIMPLE = (int, float, str, type(None))
VALUES = (*SIMPLE, np.generic, Tensor, np.ndarray)
GENERATORS = get_args(Generator)
CONSTANTS = (
    bytes, frozenset, range, type, enum.Enum, PurePath, torch.dtype, torch.device,
    FunctionType, BuiltinFunctionType, MethodType, partial,
)  # fmt: skip


@runtime_checkable
class Stateful(Protocol):
    """An object that saves and restores its state, as PyTorch's modules and optimizers do."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Restore a state that `state_dict` returned."""


@runtime_checkable
class Synced(Protocol):
    """An object that keeps copies of a network's weights."""

    def sync(self) -> None:
        """Update the copies after the weights of the network were replaced."""


@runtime_checkable
class Persistent(Protocol):
    """A part of an agent that keeps data on disk, which a saved state relies on."""

    def flush(self) -> None:
        """Write all data to disk, so that the next saved state can rely on it."""

    def mark_saved(self) -> None:
        """Allow overwriting of data that only states before the last one rely on.

        Called once the last state is on disk.
        """

    def describe_loss(self) -> str:
        """Return one line about data that were lost when a state was loaded, or ``""``."""

    def steps_until_overwrite(self) -> int:
        """Return the number of steps until data that the saved state relies on is overwritten."""


def collect_state(owner: object, transient: Collection[str] = ()) -> dict[str, Any]:
    """Return the state of all attributes, by their names without leading underscores.

    Args:
        owner: the object whose attributes are saved.
        transient: names of attributes to leave out.

    Raises:
        TypeError: an attribute is neither state nor constant. The message says what to do.
    """
    state = {}
    for name, value in _attributes(owner, transient):
        if not (isinstance(value, (Stateful, *GENERATORS, *VALUES)) or _is_simple(value)):
            raise TypeError(
                f"attribute {name} of {type(owner).__name__} is a {type(value).__name__}, which is "
                "not saved; give it state_dict() and load_state_dict(), or name it in "
                f"{type(owner).__name__}.transient if resuming does not need it"
            )
        state[name.lstrip("_")] = _save(value)
    return state


def restore_state(owner: object, state: Mapping[str, Any], transient: Collection[str] = ()) -> None:
    """Restore what `collect_state` returned.

    Modules are restored first. Then copies of their weights are updated, and the rest is restored.

    Raises:
        ValueError: an entry is missing or unknown, or the weights belong to another network.
    """
    attributes = {name.lstrip("_"): name for name in vars(owner) if name not in transient}
    needed = {
        name.lstrip("_")
        for name, value in _attributes(owner, transient)
        if isinstance(value, (Stateful, *GENERATORS))
    }
    if odd := (needed - state.keys()) | (state.keys() - attributes.keys()):
        raise ValueError(
            f"the saved state and this {type(owner).__name__} differ in {min(odd)!r}; "
            "resume with the code and the configuration of the run"
        )
    for modules_only in (True, False):
        for key, saved in state.items():
            if isinstance(getattr(owner, attributes[key]), nn.Module) is modules_only:
                _restore(owner, attributes[key], saved)
        if modules_only:
            sync_copies(owner)


def collect_policy(owner: object, transient: Collection[str] = ()) -> dict[str, Tensor]:
    """Return the tensors of all modules, and all attributes that are tensors or arrays, by name.

    If there are several modules, names of their tensors begin with the name of the attribute.

    Args:
        owner: the object whose attributes are saved.
        transient: names of attributes to leave out.
    """
    tensors = {
        name.lstrip("_"): torch.as_tensor(value).detach().clone()
        for name, value in _attributes(owner, transient)
        if isinstance(value, Tensor | np.ndarray)
    }
    return tensors | dict(_all_modules(owner, transient).state_dict())


def restore_policy(
    owner: object, weights: Mapping[str, Tensor], transient: Collection[str] = ()
) -> None:
    """Restore what `collect_policy` returned, and update copies of the weights.

    Raises:
        ValueError: a name or a shape differs.
    """
    modules = _all_modules(owner, transient)
    attributes = {
        name.lstrip("_"): name
        for name, value in vars(owner).items()
        if name not in transient and isinstance(value, Tensor | np.ndarray | None)
    }
    own = attributes.keys() & weights.keys() - modules.state_dict().keys()
    load_parameters(modules, {key: weights[key] for key in weights if key not in own})
    for key in own:
        is_array = isinstance(getattr(owner, attributes[key]), np.ndarray)
        _restore(owner, attributes[key], {ARRAY: weights[key]} if is_array else weights[key])
    sync_copies(owner)


def sync_copies(owner: object) -> None:
    """Update the copies of weights that attributes keep."""
    for value in vars(owner).values():
        if isinstance(value, Synced):
            value.sync()


def load_parameters(network: nn.Module, weights: Mapping[str, Any]) -> None:
    """Copy tensors into a network whose tensors have the same names and shapes.

    Args:
        network: modified in place.
        weights: tensors by name, as in ``network.state_dict()``.

    Raises:
        ValueError: a name or a shape differs. The message names the first one in sorted order.
    """
    own = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    for name in sorted(own.keys() | given.keys()):
        if own.get(name) != given.get(name):
            raise ValueError(
                f"weights have {name} {given.get(name, 'missing')}, the network has it "
                f"{own.get(name, 'missing')}; build it for the same game, actions and layers"
            )
    network.load_state_dict(weights)


def check_saveable(state: object, name: str) -> None:
    """Check that a state holds only what `torch.load` reads with ``weights_only=True``.

    Args:
        state: nested dicts, lists and tuples of tensors, strings and numbers.
        name: name of the state, used in the message.

    Raises:
        TypeError: the state holds something else. The message says where, and what to do.
    """
    if isinstance(state, dict):
        for key, value in state.items():
            check_saveable(value, f"{name}[{key!r}]")
    elif isinstance(state, list | tuple):
        for index, value in enumerate(state):
            check_saveable(value, f"{name}[{index}]")
    elif not isinstance(state, Tensor | str | int | float | None):
        raise TypeError(
            f"{name} is a {type(state).__name__}, which checkpoints cannot hold; "
            "save a tensor, a string or a number instead"
        )


def _attributes(owner: object, transient: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Yield names and values of attributes that may change; an object with two names only once."""
    seen: set[int] = set()
    for name, value in vars(owner).items():
        if name in transient or id(value) in seen or _is_constant(value):
            continue
        if isinstance(value, Stateful):
            seen.add(id(value))
        yield name, value


def _is_constant(value: object) -> bool:
    if isinstance(value, tuple) and not _is_simple(value):
        return all(_is_simple(item) or _is_constant(item) for item in value)
    parameters = getattr(type(value), "__dataclass_params__", None)  # None if not a dataclass
    return isinstance(value, CONSTANTS) or (parameters is not None and parameters.frozen)


def _is_simple(value: object) -> bool:
    """Return whether a value is a number, a text, None, or a tuple of these."""
    if type(value) is tuple:
        return all(map(_is_simple, value))
    return isinstance(value, SIMPLE)


def _save(value: Any) -> Any:
    if isinstance(value, Stateful):
        return value.state_dict()
    if isinstance(value, GENERATORS):
        return generator_state(value)
    if isinstance(value, np.ndarray | np.generic):
        return {ARRAY: torch.from_numpy(np.array(value))}
    return value.detach() if isinstance(value, Tensor) else value


def _restore(owner: object, name: str, saved: Any) -> None:
    value = getattr(owner, name)
    if isinstance(value, nn.Module):
        load_parameters(value, saved)
    elif isinstance(value, Stateful):
        value.load_state_dict(saved)
    elif isinstance(value, GENERATORS):
        set_generator_state(value, saved)
    elif isinstance(value, Tensor) and isinstance(saved, Tensor) and value.shape == saved.shape:
        with torch.no_grad():
            value.copy_(saved)  # in place, because an optimizer may hold it
    elif isinstance(saved, dict):
        setattr(owner, name, saved[ARRAY].numpy().copy()[()])  # a scalar if it is 0-dimensional
    else:
        setattr(owner, name, saved)


def _all_modules(owner: object, transient: Collection[str]) -> nn.Module:
    """Return the only module among the attributes, or one that holds all of them."""
    modules = {
        name.lstrip("_"): value
        for name, value in _attributes(owner, transient)
        if isinstance(value, nn.Module)
    }
    if len(modules) == 1:
        return next(iter(modules.values()))
    return nn.ModuleDict(modules)
