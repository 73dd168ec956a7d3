"""What the commands share: flags from dataclasses, mistakes in one line, exit codes."""

from __future__ import annotations

import contextlib
import errno
import io
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import tyro

from mario.errors import RunError, UsageError

T = TypeVar("T")

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


def run(name: str, body: Callable[[], int]) -> NoReturn:
    """Run a command and exit as the shell expects.

    Exit codes: what ``body`` returns; 2 for a mistake of the user's and 1 for a run that cannot go
    on, each with one line on stderr.
    """
    try:
        code = body()
    except UsageError as error:
        code = _complain(name, error, 2)
    except RunError as error:
        code = _complain(name, error, 1)
    except BrokenPipeError:  # whoever read what is printed, `head` for one, has read enough
        sys.stdout = None  # or leaving would try to print the rest
        code = 141
    except OSError as error:
        if error.errno not in FULL_DISK:
            raise
        code = _complain(name, error, 2)
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def parse(
    name: str, kind: Any, arguments: Sequence[str], description: str, default: T | None = None
) -> Any:
    """Read flags into a dataclass.

    Args:
        name: the command.
        kind: the dataclass, which may have parameters of its own.
        arguments: what the user typed.
        description: the first lines of ``--help``.
        default: values of the flags that are not given.

    Raises:
        UsageError: a flag that cannot be read; the message is one line.
    """
    complaint = io.StringIO()
    start = tyro.MISSING_NONPROP if default is None else default
    read: Callable[..., Any] = (
        tyro.cli
    )  # its overloads leave no room for a default that may be none
    try:
        with contextlib.redirect_stderr(complaint):
            return read(kind, prog=name, args=arguments, description=description, default=start)
    except SystemExit as leaving:
        if not leaving.code:
            raise
    raise UsageError(f"{_message(complaint.getvalue())}; see {name} --help")


def _message(box: str) -> str:
    """The message out of the box that is drawn around it, in one line.

    A terminal that knows its characters has the title in the upper edge; any other has it in a
    paragraph of its own.
    """
    lines = [line.strip("│ ") for line in box.splitlines()]
    text = "\n".join("" if re.match(r"[╭╰─]|-+$", line) else line for line in lines)
    paragraphs = [each for each in re.split(r"\n{2,}", text.strip("\n")) if each]
    message = " ".join(paragraphs[0 if box.startswith("╭") else 1].split())
    message = re.sub(r"no type matching \S+ could be instantiated from", "cannot be", message)
    return re.sub(r"^Error parsing (\S+):", r"\1:", message).rstrip(".")


def _complain(name: str, error: Exception, code: int) -> int:
    print(f"{name}: error: {error}", file=sys.stderr)
    return code
