"""Trains on a disk that is fast, slow, and slow until a signal stops the run.

    LD_PRELOAD=failing_writes.so python slow_disk.py FOLDER MILLISECONDS

MILLISECONDS is how much longer each call takes that writes. Prints a JSON object with the exit
code, the output, the number of calls and the seconds of each run. Those of the last run count from
the signal on, which it receives during a save.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path

from forked_program import Program

import mario.commands.train

FLAGS = (
    "--steps", "80", "--num-envs", "2", "--save-seconds", "0.3", "--seed", "3", "--threads", "1",
    "--hyper.replay-capacity", "100", "--hyper.burnin", "20", "--hyper.batch-size", "8",
    "--hyper.hidden-size", "16", "--actions", "simple", "--evaluation.episodes", "0",
)  # fmt: skip


def run(folder, milliseconds, stop=False):
    """Run the command in a fork and return what is printed of it."""
    folder.mkdir(parents=True)
    calls = folder.with_suffix(".calls")
    library = ctypes.CDLL(None)

    def main(flags):
        library.slow_writes(f"{folder}/".encode(), milliseconds)
        try:
            mario.commands.train.main(flags)
        finally:
            calls.write_text(str(library.written()))

    flags = [*FLAGS, "--save-dir", str(folder)]
    if stop:
        flags += ["--steps", "100000"]
    program = Program(flags, folder.with_suffix(".txt"), main)
    start = time.monotonic()
    if stop:
        program.wait(lambda: saves_again(folder))
        start = time.monotonic()
        os.kill(program.pid, signal.SIGTERM)
    code = program.wait()
    seconds = time.monotonic() - start
    return code, program.output.read_text(), int(calls.read_text()), seconds


def saves_again(folder):
    """Return whether a run has saved and is saving again."""
    return any(folder.glob("*/last.chkpt")) and any(folder.glob("*/.tmp-*"))


def main():
    folder, milliseconds = Path(sys.argv[1]), int(sys.argv[2])
    runs = {
        "fast": run(folder / "fast", 0),
        "slow": run(folder / "slow", milliseconds),
        "stopped": run(folder / "stopped", milliseconds, stop=True),
    }
    print(json.dumps(runs))


if __name__ == "__main__":
    main()
