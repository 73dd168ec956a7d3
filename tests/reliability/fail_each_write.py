"""Runs commands again and again; in each run, some calls that write in a folder fail.

    LD_PRELOAD=failing_writes.so python fail_each_write.py train|record FOLDER STRIDE COUNT

The first run has no failures and counts the calls; then every STRIDE-th call and the following
ones fail, COUNT in all. Prints a JSON list of ``[first failure, exit code, output]``.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path

from forked_program import Program

import mario.commands.play
import mario.training.checkpointer

mario.training.checkpointer.RETRY_SECONDS = 0.02
TRAIN = (
    "--steps", "80", "--num-envs", "2", "--save-seconds", "0.1", "--seed", "3", "--threads", "1",
    "--hyper.replay-capacity", "100", "--hyper.burnin", "20", "--hyper.batch-size", "8",
    "--hyper.hidden-size", "16", "--actions", "simple", "--evaluation.episodes", "0",
    "--log-every", "1",
)  # fmt: skip
NEVER = 10**9


def run(command, folder, first, count):
    """Run a command in a fork and return the number of calls, the exit code and the output."""
    folder.mkdir(parents=True)
    calls = folder.with_suffix(".calls")
    library = ctypes.CDLL(None)

    def main(flags):
        library.fail_writes(f"{folder}/".encode(), first, count)
        try:
            if command == "train":
                mario.commands.train.main(flags)
            mario.commands.play.main(flags)
        finally:
            calls.write_text(str(library.written()))

    if command == "train":
        flags = [*TRAIN, "--save-dir", str(folder)]
    else:
        checkpoint = Path(mario.__file__).parents[1] / "checkpoints" / "mario-1-1.chkpt"
        flags = [str(checkpoint), "--record", str(folder / "play.mp4"), "--max-seconds", "2"]
    program = Program(flags, folder.with_suffix(".txt"), main)
    code = program.wait()
    return int(calls.read_text() if calls.exists() else 0), code, program.output.read_text()


def main():
    command, folder, stride, count = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:5])
    total, code, output = run(command, folder / "whole", NEVER, 0)
    results = [(0, code, output)]
    for first in range(1, total + 1, stride):
        _, code, output = run(command, folder / f"from-{first}", first, count)
        results.append((first, code, output))
    print(json.dumps(results))


if __name__ == "__main__":
    main()
