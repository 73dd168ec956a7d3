"""Shared by the commands: flags from dataclasses, one-line errors and exit codes."""

from __future__ import annotations

import dataclasses
import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any, NoReturn, TypeVar

import tyro
from tyro import _errors as parse_errors

from mario.errors import RunError, UsageError, naming_flags, similar
from mario.system.plugins import describe_own_error

T = TypeVar("T")

LOADING = "loading PyTorch"
"""The slow step of every command, see `mario.system.announce`."""

TYPES = {
    "INT": "a whole number",
    "FLOAT": "a number",
    "{None}|INT": "a whole number or None",
    "{None}|FLOAT": "a number or None",
    "[INT [INT ...]]": "whole numbers",
    "[FLOAT [FLOAT ...]]": "numbers",
}
"""The types of flags in words, by the names that tyro gives them."""

DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


def start(
    name: str, command: Callable[[Sequence[str]], int], arguments: Sequence[str] | None
) -> NoReturn:
    """Run a command with the flags of the command line, and exit.

    Args:
        name: name of the command.
        command: receives the flags and returns the exit code.
        arguments: the flags; None for those of this process.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if "--version" in given:
        print(f"{name} {version('mario-agents')}")
        sys.exit(0)
    run(name, lambda: command(given))


def run(name: str, body: Callable[[], int]) -> NoReturn:
    """Run a command and exit.

    The exit code is what ``body`` returns, 2 for an error in the user's input or a disk that
    cannot be written, 1 for a run that cannot continue, 130 after Ctrl-C, or 141 if the reader of
    stdout closed it. Errors are printed as one line on stderr. An error in code of the user exits
    with 1; the traceback from that code on precedes the line.

    Args:
        name: name of the command.
        body: the command.
    """
    # Figures are drawn to files. An environment, e.g. of a notebook, may name a backend for windows
    # that is not installed, with which matplotlib could not be imported.
    os.environ.pop("MPLBACKEND", None)
    with naming_flags():
        sys.exit(_exit_code(name, body))


def _exit_code(name: str, body: Callable[[], int]) -> int:
    """Run a command, print its error if there is one, and return the exit code."""
    try:
        _check_platform()
        return body()
    except UsageError as error:
        return _print_error(name, error, 2)
    except RunError as error:
        return _print_error(name, "; ".join([str(error), *_notes(error)]), 1)
    except BrokenPipeError:  # the reader of stdout, e.g. `head`, has closed it
        sys.stdout = None  # otherwise Python would try to flush it at exit
        return 141
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            return _print_error(name, error, 2)
        if (code := _print_own_error(name, error)) is None:
            raise
        return code


def parse(
    name: str,
    config_type: Any,
    arguments: Sequence[str],
    description: str,
    default: T | None = None,
) -> Any:
    """Parse flags into a dataclass.

    Args:
        name: name of the command.
        config_type: the dataclass, possibly with type parameters.
        arguments: the command line without the name of the command.
        description: first lines of ``--help``.
        default: values of the flags that are not given.

    Raises:
        UsageError: a flag is unknown, missing or has an invalid value.
    """
    check_flags(name, arguments, config_type if default is None else default)
    # tyro's overloads do not accept a default that may be missing.
    cli: Callable[..., Any] = tyro.cli
    initial = tyro.MISSING_NONPROP if default is None else default
    with parse_errors.on_parse_error(partial(_raise_usage_error, arguments)):
        return cli(config_type, prog=name, args=arguments, description=description, default=initial)


def check_flags(name: str, arguments: Sequence[str], config: object) -> None:
    """Check that all flags exist.

    Args:
        name: name of the command.
        arguments: the command line without the name of the command.
        config: the dataclass whose fields are the flags, or an instance of it. Fields of nested
            dataclasses are only known from an instance.

    Raises:
        UsageError: a flag is unknown. The message suggests similar flags.
    """
    known = {"help", *_flags(config)}
    for argument in arguments:
        flag = argument.partition("=")[0].replace("_", "-")
        names = flag[2:], flag[2:].replace("no-", "", 1)  # --no-json turns --json off
        if flag.startswith("--") and known.isdisjoint(names):
            hint = " or ".join(f"--{other}" for other in similar(flag[2:], known))
            suggestion = f"did you mean {hint}? See" if hint else "see"
            raise UsageError(f"unknown flag {flag}; {suggestion} {name} --help")


def _flags(config: object, prefix: str = "") -> Iterator[str]:
    """Yield the names of all flags without the dashes in front."""
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        value = getattr(config, field.name, None)
        flag = prefix + field.name.replace("_", "-")
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            yield from _flags(value, f"{flag}.")
        else:
            yield flag


def _raise_usage_error(arguments: Sequence[str], event: parse_errors.ParseErrorEvent) -> NoReturn:
    """Raise an error in place of tyro's message, which has several lines in a drawn box."""
    match event:
        case parse_errors.UnrecognizedArgs(tokens=tokens):
            message = f"unexpected {' '.join(tokens)}"
        case parse_errors.MissingArgs(missing_arguments=missing):
            names = [argument.arg.display_name() for argument in missing]
            message = f"missing required {', '.join(names)}"
        case parse_errors.InvalidChoice(argument=argument, value=value, choices=choices):
            message = f"{argument.display_name()} cannot be {value!r}; use {' or '.join(choices)}"
        case parse_errors.BadValue(argument=argument):
            kind = str(argument.lowered.metavar)
            message = (
                f"{argument.display_name()} needs {TYPES.get(kind, f'a value of type {kind}')}"
            )
        case parse_errors.InstantiationFailure(argument=argument, message=message):
            message = message.splitlines()[0]
            if argument is not None:  # else the dataclass itself raised it
                flag, kind = argument.display_name(), str(argument.lowered.metavar)
                reason = f"got {_given(flag, arguments)!r}" if kind in TYPES else message
                message = f"{flag} expects {TYPES.get(kind, kind)}, {reason}"
        case _:
            message = f"invalid arguments ({type(event).__name__})"
    raise UsageError(f"{message.rstrip('.')}; see {event.prog} --help")


def _given(flag: str, arguments: Sequence[str]) -> str:
    """Return the values that the command line gives to a flag the last time."""
    values: list[str] = []
    is_open = False
    for argument in arguments:
        name, separator, value = argument.partition("=")
        if name.startswith("--"):
            if is_open := name.replace("_", "-") == flag:
                values = [value] if separator else []
        elif is_open:
            values.append(argument)
    return " ".join(values)


def _check_platform() -> None:
    if os.name != "posix":
        raise UsageError(f"{sys.platform} is not supported; use Linux, macOS or WSL 2 on Windows")


def _print_own_error(name: str, error: Exception) -> int | None:
    """Print an error in code of the user; return None for another one, a defect of this project."""
    description = describe_own_error(error)
    if description is None:
        return None
    trace, place = description
    reason = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    print(trace, end="", file=sys.stderr)
    line = f"{place}: {type(error).__name__}{f': {reason}' if reason else ''}"
    return _print_error(name, "; ".join([line, *_notes(error)]), 1)


def _notes(error: Exception) -> list[str]:
    """Return the notes of an error, which say what became of the run."""
    return getattr(error, "__notes__", [])


def _print_error(name: str, error: Exception | str, code: int) -> int:
    print(f"{name}: error: {error}", file=sys.stderr)
    return code
