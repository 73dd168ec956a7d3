"""Compare the training speed of two commits, in turns.

    python scripts/experiments/compare_speed.py BEFORE AFTER --rounds 7 --steps 20000

Each commit gets a worktree and its own compiled code. A round trains once with each of them, in
alternating order, so that other load on the machine and its temperature affect both. The time
starts when the run folder exists and ends when the command does: it includes all saves, but not
the start of Python. Prints the ratio of each round and their median; the exit code is 1 if the
median is below ``--minimum``. Further flags are those of ``mario-train``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = "from mario.commands.train import main; main()"
FLAGS = ("--evaluation.episodes", "0", "--no-tensorboard", "--seed", "1")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both commits and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--minimum", type=float, default=0.98)
    options, flags = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        trees = [Path(name) / "before", Path(name) / "after"]
        try:
            for commit, tree in zip((options.before, options.after), trees, strict=True):
                _check_out(commit, tree)
            ratios = _measure(trees, options.rounds, options.steps, flags)
        finally:
            for tree in trees:
                _git("worktree", "remove", "--force", str(tree), check=False)
    median = statistics.median(ratios)
    print(f"median {median:.3f}, from {min(ratios):.3f} to {max(ratios):.3f}")
    return 0 if median >= options.minimum else 1


def _measure(trees: Sequence[Path], rounds: int, steps: int, flags: Sequence[str]) -> list[float]:
    """Return the speed of the second tree relative to the first one in each round."""
    for tree in trees:  # fills the caches of the file system
        _steps_per_second(tree, steps // 10, flags)
    ratios = []
    for number in range(rounds):
        order = trees if number % 2 else list(reversed(trees))
        speeds = {tree: _steps_per_second(tree, steps, flags) for tree in order}
        before, after = (speeds[tree] for tree in trees)
        ratios.append(after / before)
        print(f"{before:.0f} -> {after:.0f} steps/s, ratio {ratios[-1]:.3f}", flush=True)
    return ratios


def _steps_per_second(tree: Path, steps: int, flags: Sequence[str]) -> float:
    """Train in a process of its own, and return the speed from the first line of its output on."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-u", "-c", PROGRAM, "--steps", str(steps), "--save-dir", folder,
             *FLAGS, *flags],
            stdout=subprocess.PIPE, text=True, cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)},
        )  # fmt: skip
        assert process.stdout is not None
        while not process.stdout.readline().startswith("run: "):
            if process.poll() is not None:
                raise SystemExit(f"mario-train exits with {process.returncode}")
        start = time.perf_counter()
        process.stdout.read()
        if process.wait():
            raise SystemExit(f"mario-train exits with {process.returncode}")
        return steps / (time.perf_counter() - start)


def _check_out(commit: str, tree: Path) -> None:
    """Make a worktree of a commit and compile its code."""
    _git("worktree", "add", "--detach", str(tree), commit)
    subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=tree, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _git(*arguments: str, check: bool = True) -> None:
    subprocess.run(["git", "-C", str(ROOT), *arguments], check=check, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
