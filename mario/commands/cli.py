"""Shared by the commands: flags from dataclasses, one-line errors and exit codes."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import tyro
from tyro import _errors as parse_errors

from mario.errors import RunError, UsageError

T = TypeVar("T")

DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


def run(name: str, body: Callable[[], int]) -> NoReturn:
    """Run a command and exit.

    The exit code is what ``body`` returns, 2 for an error in the user's input or a disk that
    cannot be written, 1 for a run that cannot continue, 130 after Ctrl-C, or 141 if the reader of
    stdout closed it. Errors are printed as one line on stderr.

    Args:
        name: name of the command.
        body: the command.
    """
    try:
        code = body()
    except UsageError as error:
        code = _print_error(name, error, 2)
    except RunError as error:
        code = _print_error(name, error, 1)
    except BrokenPipeError:  # the reader of stdout, e.g. `head`, has closed it
        sys.stdout = None  # otherwise Python would try to flush it at exit
        code = 141
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        code = _print_error(name, error, 2)
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


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
    # tyro's overloads do not accept a default that may be missing.
    cli: Callable[..., Any] = tyro.cli
    initial = tyro.MISSING_NONPROP if default is None else default
    with parse_errors.on_parse_error(_raise_usage_error):
        return cli(config_type, prog=name, args=arguments, description=description, default=initial)


def _raise_usage_error(event: parse_errors.ParseErrorEvent) -> NoReturn:
    """Raise an error in place of tyro's message, which has several lines in a drawn box."""
    match event:
        case parse_errors.UnrecognizedArgs(tokens=tokens):
            message = f"unrecognized arguments: {' '.join(tokens)}"
        case parse_errors.MissingArgs(missing_arguments=missing):
            names = [argument.arg.display_name() for argument in missing]
            message = f"missing required {', '.join(names)}"
        case parse_errors.InvalidChoice(argument=argument, value=value, choices=choices):
            message = f"{argument.display_name()} cannot be {value!r}; use {' or '.join(choices)}"
        case parse_errors.BadValue(argument=argument):
            message = f"{argument.display_name()} needs a value of type {argument.lowered.metavar}"
        case parse_errors.InstantiationFailure(argument=argument, message=message):
            message = message.splitlines()[0]
            if argument is not None:  # else the dataclass itself raised it
                expected = f"{argument.display_name()} expects {argument.lowered.metavar}"
                message = f"{expected}: {message}"
        case _:
            message = f"invalid arguments ({type(event).__name__})"
    raise UsageError(f"{message.rstrip('.')}; see {event.prog} --help")


def _print_error(name: str, error: Exception, code: int) -> int:
    print(f"{name}: error: {error}", file=sys.stderr)
    return code
