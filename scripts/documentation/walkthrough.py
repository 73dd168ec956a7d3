"""Run the documentation as a reader would: scripts/walkthrough [--literal].

It clones the repository into a temporary folder, creates a fresh environment there and runs every
command of docs/getting-started.md with bash, including the installation. Training is shortened as
in the tests, unless ``--literal`` is given, with which it takes as long as the page says; trainings
that would run for days stay short. After that it runs the blocks of the pages about own code and
Python, always shortened. Needs only Python.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from blocks import ROOT, RUN_FOLDER, Block, commands, entry_points, read_blocks

PAGE = ROOT / "docs" / "getting-started.md"
FURTHER_PAGES = ("own-game", "own-agent", "python-api")
LATEST_RUN = '"$(ls -d runs/* | tail -n 1)"'


def script(blocks: list[Block], literal: bool) -> str:
    """Return the commands of a page, and those that run the further pages, as a script for bash.

    Args:
        blocks: The blocks of the page; those in other languages are left out.
        literal: Whether to leave out the flags that shorten a command.
    """
    lines = ["set -ex"]
    for block in blocks:
        if block.language != "bash":
            continue
        flags = block.flags(literal)
        for command in commands(block.code):
            extended = command + flags if command.split()[0] in entry_points() else command
            lines.append(RUN_FOLDER.sub(LATEST_RUN, extended))
    lines += [f"python scripts/documentation/run_page.py docs/{page}.md" for page in FURTHER_PAGES]
    return "\n".join(lines)


def main() -> int:
    """Run the page and return the exit code of its script."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--literal", action="store_true", help="do not shorten the commands")
    options = parser.parse_args()
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "PYTHONPATH", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        process = subprocess.run(
            ["bash", "-c", script(read_blocks(PAGE), options.literal)],
            cwd=clone, env=environment, check=False,
        )  # fmt: skip
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
