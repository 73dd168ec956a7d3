"""Run the code blocks of a page in an empty folder, shortened as in the tests: run_page.py PAGE."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from blocks import run_blocks


def main(page: Path) -> None:
    """Run the blocks of a page.

    Args:
        page: The page.

    Raises:
        BlockError: A command of a block fails.
    """
    page = page.resolve()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        sys.path.insert(0, folder)
        run_blocks(page, Path(folder))


if __name__ == "__main__":  # the processes of games import this file
    main(Path(sys.argv[1]))
