"""A child process that runs one workload for given periods of time.

    python child.py MODULE:FUNCTION '{"keyword": "argument"}'

The function is a generator that repeatedly does some work and yields a dict of counts. Its first
yield ends the warm-up. For each line on stdin with a number of seconds, the process runs the
workload for that time and prints one line of JSON with the sums of the counts and ``seconds``.
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
    """Run the workload for at least the given number of seconds and sum its counts."""
    sums: Any = Counter()
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        sums.update(next(work))
    return {**sums, "seconds": elapsed}


def main() -> None:
    """Warm up, then answer every line on stdin."""
    function_path, arguments = sys.argv[1:]
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    with contextlib.redirect_stdout(sys.stderr):
        module, _, function = function_path.partition(":")
        work: Work = getattr(importlib.import_module(module), function)(**json.loads(arguments))
        next(work)
        print("ready", file=answers)
        for line in sys.stdin:
            print(json.dumps(work_for(work, float(line))), file=answers)


if __name__ == "__main__":
    main()
