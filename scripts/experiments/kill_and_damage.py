"""Kill training runs at random moments, damage a file of each, and compare what they become.

    python scripts/experiments/kill_and_damage.py OUT --trials 200

A trial starts ``mario-train``, ends it by SIGKILL, and damages ``last.chkpt`` or a file of the
replay memory. The run is then resumed twice from copies of its folder: once to its end, and once
with another SIGKILL on the way. A trial fails unless

* the run resumes from the newest intact checkpoint, or is refused in one line if none is left,
* it says what was lost, or ends bit for bit like the run that was never stopped,
* both copies end bit for bit alike,
* no file beside the run folder is changed.

OUT receives ``trials.csv`` with a row per trial, and the folders of trials that failed. The trial
number determines what is done; the moment of a kill also depends on the speed of the machine.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from damage import damage
from forked_program import Program
from run_comparison import run_differences

from mario.runs.checkpoint import load
from mario.runs.file_kind import CheckpointError

STEPS = 300
COMMON = (
    "--steps", str(STEPS), "--num-envs", "2", "--save-seconds", "0.05", "--evaluation.episodes",
    "0", "--no-tensorboard", "--log-every", "1", "--actions", "simple", "--seed", "3",
)  # fmt: skip
DDQN = (
    "--hyper.replay-capacity", "150", "--hyper.burnin", "60", "--hyper.learn-every", "8",
    "--hyper.batch-size", "8", "--hyper.sync-every", "100", "--hyper.hidden-size", "16",
)  # fmt: skip
PPO = ("--hyper.horizon", "16", "--hyper.minibatches", "2", "--hyper.hidden-size", "16")
AGENTS = {
    "ddqn": ("--agent", "ddqn", *DDQN),
    "ddqn, prioritized": ("--agent", "ddqn", *DDQN, "--hyper.priority-alpha", "0.5"),
    "ppo": ("--agent", "ppo", *PPO),
    "reinforce": (
        "--agent", "reinforce", "--game", "SuperMarioBros-1-1-v0", "--wrappers.observation", "gray",
        "--hyper.batch-episodes", "2", "--hyper.hidden-size", "16",
    ),
}  # fmt: skip
"""Flags of each agent."""
KINDS = ("truncated", "flipped", "zeroed", "empty", "removed")
"""Kinds of damage, see `damage`."""
CHECKPOINTS = ("last.chkpt", "previous.chkpt")


@dataclass
class Trial:
    """What was done in a trial, and what came of it."""

    number: int
    agent: str
    killed_after: int = -1
    """Steps in the newest checkpoint after the kill; -1 without a checkpoint."""
    file: str = ""
    kind: str = ""
    resumed_after: int = -1
    """Steps after which the run resumed; -1 if it was refused or had no checkpoint."""
    result: str = ""
    """What the program said about the damage: ``equal``, ``loss stated``, or ``refused``."""
    failure: str = ""
    """Which promise was broken, or ``""``."""


class Trials:
    """Runs trials in a folder.

    Args:
        folder: receives the runs.
        report: receives the reason of each failure.
    """

    def __init__(self, folder: Path, report: Callable[[str], None]) -> None:
        self._folder, self._report = folder, report
        self._whole: dict[str, tuple[Path, float]] = {}
        self._canary = folder / "outside"
        self._canary.write_text("untouched")

    def run(self, number: int) -> Trial:
        """Run a trial; its folder is kept if it fails."""
        trial = Trial(number, list(AGENTS)[number % len(AGENTS)])
        folder = self._folder / f"trial-{number}"
        try:
            rng = random.Random(number)  # noqa: S311 (this is no cryptography)
            self._run(trial, rng, folder)
            assert self._canary.read_text() == "untouched", "a file outside was changed"
        except AssertionError as error:
            trial.failure = str(error)
            self._report(f"trial {number} ({trial.agent}): {error}")
        else:
            shutil.rmtree(folder)
        return trial

    def _run(self, trial: Trial, rng: random.Random, folder: Path) -> None:
        whole, seconds = self._whole_run(trial.agent)
        flags = [*COMMON, *AGENTS[trial.agent], "--save-dir", str(folder / "runs")]
        folder.mkdir()
        _kill_at_random(Program(flags, folder / "first.txt"), rng, seconds, folder / "runs")
        runs = [path for path in folder.glob("runs/*") if (path / "config.yaml").exists()]
        if not runs:  # it was killed before it had a folder
            trial.result = "equal"
            return
        (run,) = runs
        usable = _steps_of_checkpoints(run)
        trial.killed_after = usable.get("last.chkpt", -1)
        trial.file, trial.kind = _damage_one(run, rng)
        # both have one file if the kill came between their renames
        usable = {name: steps for name, steps in usable.items() if not _is_damaged(run / name)}
        survivor = folder / "survivor"
        shutil.copytree(run, survivor)
        self._resume(trial, run, usable, folder)
        if trial.result == "refused":
            return
        if trial.result == "equal":
            _assert_same(run, whole, "the run that was never stopped")
        program = Program(["--resume", str(survivor)], folder / "killed.txt")
        _kill_at_random(program, rng, seconds, survivor)
        _finish(Program(["--resume", str(survivor)], folder / "again.txt"))
        _assert_same(survivor, run, "the same run resumed in one go")

    def _whole_run(self, agent: str) -> tuple[Path, float]:
        """Return a run that is never stopped, and the seconds that it takes."""
        if agent not in self._whole:
            folder, start = self._folder / f"whole-{len(self._whole)}", time.monotonic()
            flags = [*COMMON, *AGENTS[agent], "--save-dir", str(folder)]
            _finish(Program(flags, self._folder / f"{folder.name}.txt"))
            (run,) = folder.iterdir()
            self._whole[agent] = run, time.monotonic() - start
        return self._whole[agent]

    def _resume(self, trial: Trial, run: Path, usable: dict[str, int], folder: Path) -> None:
        """Resume a damaged run to its end, and check what it says."""
        program = Program(["--resume", str(run)], folder / "resumed.txt")
        code = program.wait()
        output = program.output.read_text()
        if trial.file in CHECKPOINTS and not usable and code == 2:
            lines = output.partition("mario-train: error: ")[2].splitlines()
            assert len(lines) == 1, f"it is not refused in one line: {output}"
            trial.result = "refused"
            return
        assert code == 0, f"it exits with {code}: {output}"
        resumed = re.search(r"Resumed after .* \(([\d,]+) steps\)", output)
        trial.resumed_after = int(resumed[1].replace(",", "")) if resumed else -1
        expected = next((usable[name] for name in CHECKPOINTS if name in usable), -1)
        assert trial.resumed_after == expected, (
            f"it resumes after {trial.resumed_after} steps instead of {expected}: {output}"
        )
        assert resumed or "it starts from the beginning" in output, f"it restarts: {output}"
        trial.result = "loss stated" if "has lost rows" in output else "equal"


def _kill_at_random(program: Program, rng: random.Random, seconds: float, folder: Path) -> None:
    """Kill a program at a random moment, or while it writes one of its files."""
    if rng.random() < 0.5:
        deadline = time.monotonic() + rng.uniform(0, seconds)
        program.wait(lambda: time.monotonic() > deadline)
    else:
        remaining = [rng.randrange(1, 20)]
        seen: set[int] = set()

        def enough_writes() -> bool:
            """Return whether some temporary files have appeared."""
            new = _temporary_files(folder) - seen
            seen.update(new)
            remaining[0] -= len(new)
            return remaining[0] <= 0

        program.wait(enough_writes)
    program.kill()


def _temporary_files(folder: Path) -> set[int]:
    """Return the inodes of the temporary files in a folder and its subfolders."""
    folders = [path for path in (folder, *folder.glob("*")) if path.is_dir()]
    entries = (entry for path in folders for entry in os.scandir(path))
    return {entry.inode() for entry in entries if entry.name.startswith(".tmp-")}


def _damage_one(run: Path, rng: random.Random) -> tuple[str, str]:
    """Damage ``last.chkpt`` or a file of the memory; return its name and the kind of damage."""
    memory = sorted(path for path in run.glob("memory/*.memmap") if path.stat().st_size)
    candidates = [path for path in (run / "last.chkpt",) if path.exists()]
    if memory and (not candidates or rng.random() < 0.6):
        candidates = memory
    if not candidates:
        return "", ""
    path, kind = rng.choice(candidates), rng.choice(KINDS)
    damage(path, kind)
    return str(path.relative_to(run)), kind


def _steps_of_checkpoints(run: Path) -> dict[str, int]:
    return {name: load(run / name)["steps"] for name in CHECKPOINTS if (run / name).exists()}


def _is_damaged(path: Path) -> bool:
    try:
        load(path)
    except CheckpointError:  # or it is missing
        return True
    return False


def _finish(program: Program) -> None:
    code = program.wait()
    assert code == 0, f"it exits with {code}: {program.output.read_text()}"


def _assert_same(one: Path, other: Path, what: str) -> None:
    different = run_differences(one, other)
    assert not different, f"it differs from {what}: {different[:5]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trials and return the exit code, 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="number of the first trial")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True)
    trials, failures, results = Trials(options.out, print), 0, dict[str, int]()
    with (options.out / "trials.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([field.name for field in fields(Trial)])
        for number in range(options.first, options.first + options.trials):
            trial = trials.run(number)
            table.writerow(vars(trial).values())
            file.flush()
            failures += bool(trial.failure)
            results[trial.result or "failed"] = results.get(trial.result or "failed", 0) + 1
    counts = ", ".join(f"{count} {result}" for result, count in sorted(results.items()))
    print(f"{options.trials} trials: {counts}; {failures} broke a promise")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
