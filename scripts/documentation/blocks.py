"""Reads and runs the code blocks of Markdown pages.

Every block in bash or Python of the README and of ``docs/`` is run, in the order of its page and in
an empty folder. A comment before a block says what to change, so that the test is short::

    <!-- test: append --steps 40 -->       append flags to each mario-* command of the block
    <!-- test: limit --steps 40 -->        the same for commands that would run for days
    <!-- test: replace 100_000 with 40 --> replace text of the block
    <!-- test: file balloons.py -->        the reader saves the block under this name
    <!-- test: by tests/x/test_y.py -->    another test or script runs it, because it is long

Several comments may precede a block. A run folder in a command, ``runs/2026-01-31T09-00-00``,
stands for the latest run.
"""

from __future__ import annotations

import configparser
import glob
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

MARK = re.compile(r"^<!-- test: (append|limit|replace|file|by) (.+) -->$")
FENCE = re.compile(r"^( *)```(\w+)?.*$")
SNIPPET = re.compile(r"^--8<--\n(.+)\n--8<--$", re.MULTILINE)
RUN_FOLDER = re.compile(r"\bruns/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d")
SHELL_SYNTAX = re.compile(r"[|&;<>$()]")


class BlockError(Exception):
    """Raised when a command of a block fails."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: File of the page.
        line: Number of the line of its opening fence, from 1.
        language: ``"bash"``, ``"python"``, ...; ``""`` if the fence names none.
        code: The text, with included files in place of their snippets.
        marks: The words of each mark before the block.
    """

    page: Path
    line: int
    language: str
    code: str
    marks: tuple[tuple[str, str], ...] = ()

    @property
    def place(self) -> str:
        """Page and line, for messages."""
        return f"{self.page}:{self.line}"

    def argument(self, mark: str) -> str | None:
        """Return the argument of a mark, or None if the block does not have it."""
        return next((argument for name, argument in self.marks if name == mark), None)

    def flags(self, literal: bool) -> str:
        """Return the flags to append to each command, with a space before them.

        Args:
            literal: Whether to leave out those that only shorten a command.
        """
        flags = self.argument("limit") or (None if literal else self.argument("append"))
        return f" {flags}" if flags else ""


def read_blocks(page: Path) -> list[Block]:
    """Return the blocks of a page in order.

    Raises:
        ValueError: A block is not closed.
    """
    blocks, marks = list[Block](), list[tuple[str, str]]()
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), start=1))
    for number, line in lines:
        if mark := MARK.match(line.strip()):
            marks.append((mark[1], mark[2]))
        elif fence := FENCE.match(line):
            code = _include("".join(_code_lines(lines, len(fence[1]), f"{page}:{number}")))
            blocks.append(Block(page, number, fence[2] or "", code, tuple(marks)))
            marks = []
        elif line.strip():
            marks = []
    return blocks


def run_blocks(page: Path, folder: Path) -> None:
    """Run the blocks of a page.

    Args:
        page: The page.
        folder: The current folder, which must be in ``sys.path``. Links to the repository's
            ``checkpoints``, ``docs`` and ``scripts`` are made in it.

    Raises:
        BlockError: A command of a block fails.
    """
    for name in ("checkpoints", "docs", "scripts"):
        (folder / name).symlink_to(ROOT / name)
    namespace: dict[str, Any] = {}
    for block in read_blocks(page):
        if block.argument("by"):
            continue
        if file := block.argument("file"):
            (folder / file).write_text(_replace(block), encoding="utf-8")
        elif block.language == "bash":
            for command in commands(_replace(block)):
                _run_command(command, block)
        elif block.language == "python":
            namespace = _run_python(block, folder, namespace)


def commands(code: str) -> list[str]:
    r"""Return the commands of a block in bash, without comments.

    >>> commands("mario-eval x.chkpt \\\n  --json\n# a comment\n")
    ['mario-eval x.chkpt --json']
    """
    joined = re.sub(r" *\\\n\s*", " ", code)
    return [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def entry_points() -> dict[str, str]:
    """Return ``module:function`` of each command that the project installs."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options.entry_points"]["console_scripts"].split("\n")
    return dict(line.split(" = ") for line in lines if line)


def _code_lines(lines: Iterator[tuple[int, str]], indent: int, place: str) -> Iterator[str]:
    for _, line in lines:
        if line.strip() == "```":
            return
        yield f"{line[indent:]}\n"
    raise ValueError(f"the block at {place} is not closed")


def _include(code: str) -> str:
    return SNIPPET.sub(lambda match: (ROOT / match[1]).read_text(encoding="utf-8"), code)


def _replace(block: Block) -> str:
    code = block.code
    for name, argument in block.marks:
        if name == "replace":
            old, _, new = argument.partition(" with ")
            if old not in code:
                raise BlockError(f"{block.place}: there is no {old!r} to replace")
            code = code.replace(old, new)
    return code


def _run_python(block: Block, folder: Path, namespace: dict[str, Any]) -> dict[str, Any]:
    """Run a block as a script with the variables of earlier blocks; return all variables."""
    file = folder / f"{block.page.stem}_{block.line}.py"
    file.write_text(_replace(block), encoding="utf-8")
    return runpy.run_path(str(file), namespace, run_name="__main__")


def _run_command(command: str, block: Block) -> None:
    """Run one command; commands of this project run in this process, which saves their start."""
    if RUN_FOLDER.search(command):
        command = RUN_FOLDER.sub(str(max(Path("runs").iterdir())), command)
    program, *arguments = shlex.split(command, comments=True)
    if program in entry_points() and not SHELL_SYNTAX.search(command.partition("#")[0]):
        flags = [file for word in arguments for file in sorted(glob.glob(word)) or [word]]
        code = _call(program, [*flags, *shlex.split(block.flags(literal=False))])
    else:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
        code = subprocess.run(["bash", "-ec", command], env=environment, check=False).returncode
    if code:
        raise BlockError(f"{block.place}: {command!r} exited with {code}")


def _call(program: str, arguments: list[str]) -> Any:
    module, function = entry_points()[program].split(":")
    try:
        getattr(import_module(module), function)(arguments)
    except SystemExit as error:
        return error.code
    return 0
