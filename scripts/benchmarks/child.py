"""A process that does one kind of work for as long as it is told, again and again.

    python child.py MODULE:FUNCTION '{"keyword": "argument"}'

The function is a generator: it does a little work, yields what that came to as a dict of numbers,
and goes on. Its first yield ends the warm-up. For each line with a number of seconds on stdin, one
with the sums over that time comes out, ``seconds`` among them, as JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

Work = Iterator[dict[str, float]]


def work_for(work: Work, seconds: float) -> dict[str, float]:
    """Sum up what the work comes to in so many seconds, or a little more."""
    sums: Any = Counter()
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        sums.update(next(work))
    return {**sums, "seconds": elapsed}


def main() -> None:
    """Warm up, then answer every line."""
    place, arguments = sys.argv[1:]
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    with contextlib.redirect_stdout(sys.stderr):
        module, _, function = place.partition(":")
        work: Work = getattr(importlib.import_module(module), function)(**json.loads(arguments))
        next(work)
        print("ready", file=answers)
        for line in sys.stdin:
            print(json.dumps(work_for(work, float(line))), file=answers)


if __name__ == "__main__":
    main()
