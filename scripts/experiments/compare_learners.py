"""Compare ways of learning on levels of Super Mario Bros., each for the same processor time.

    python scripts/experiments/compare_learners.py OUT RUNS --levels 5-3 8-1 4-4 --minutes 15

Every learner is trained on every level with each seed, in a process with one thread, until it has
used the given processor time, searches for demonstrations included. Other programs on the same
cores thus do not favor any of them. Then its last and its best agent play episodes that start after
numbers of no-ops which training never uses. Repeat the command to continue after an interruption.
OUT receives ``learners.json`` and ``learners.md``; runs in ``learners.json`` are not trained again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from mario.games.smb_levels import LEVELS
from mario.search.demonstration import load
from mario.system.files import write_atomically

# fmt: off
LEARNERS: dict[str, list[str]] = {
    "DDQN": ["--preset", "mario"],
    "DDQN, starts on demonstrations": ["--preset", "mario", "--demos", "search"],
    "DDQN, demonstrations in batches": [
        "--preset", "mario", "--demos", "search", "--hyper.demonstration-share", "0.125",
    ],
    "corrections": ["--preset", "mario-dagger"],
    "PPO": ["--preset", "mario-ppo"],
}
# fmt: on
"""Flags of ``mario-train`` for each learner."""

NOOP_MAX = 255
"""Training episodes start after 0 to this many no-ops."""

HELD_OUT = ["--noop-min", "300", "--noop-max", "399", "--episodes", "100"]
"""Flags of ``mario-eval``: 100 episodes after 300 to 399 no-ops."""

DEMONSTRATIONS = Path(__file__).parents[2] / "checkpoints" / "demonstrations"
POLL_SECONDS = 1.0
MAX_STEPS = 100_000_000
"""More steps than any run takes."""

HEADER = (
    "level | learner | core-minutes | steps | cleared by the last agent | by the best agent "
    "| mean x of the last agent"
)

Row = dict[str, Any]


def train(command: Sequence[str], console: Path, minutes: float) -> float:
    """Run a training command until it has used some processor time; return core-minutes.

    Args:
        command: the command.
        console: file that its output is appended to.
        minutes: core-minutes after which it receives SIGINT, upon which it saves and ends.
    """
    used = 0.0
    with console.open("a") as output:
        process = psutil.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        while process.poll() is None:
            try:
                used = _core_seconds(process) / 60
            except psutil.NoSuchProcess:
                break
            if used > minutes:
                process.send_signal(signal.SIGINT)
                process.wait()
            time.sleep(POLL_SECONDS)
    if process.wait() not in (0, 128 + signal.SIGINT):
        raise SystemExit(f"training failed with exit code {process.returncode}; see {console}")
    return used


def _core_seconds(process: psutil.Process) -> float:
    processes = [process, *process.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in processes)


def evaluate(checkpoint: Path) -> Row:
    """Return the result of held-out episodes of a checkpoint."""
    command = [_program("mario-eval"), str(checkpoint), *HELD_OUT, "--json"]
    result = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return dict(json.loads(result.stdout))


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def measure(level: str, learner: str, seed: int, folder: Path, minutes: float) -> Row:
    """Train a learner on a level, or resume its run, and return its row of the table."""
    folder.mkdir(parents=True, exist_ok=True)
    used = folder / "core-minutes"
    before = float(used.read_text()) if used.exists() else 0.0
    started = sorted(folder.glob("*/config.yaml"))
    if started:
        flags = ["--resume", str(started[-1].parent)]
    else:
        actions = load(DEMONSTRATIONS / f"{level}.demo").actions
        flags = [
            *LEARNERS[learner], "--game", f"SuperMarioBros-{level}-v0", "--seed", str(seed),
            "--actions", actions if isinstance(actions, str) else json.dumps(actions),
            "--wrappers.noop-max", str(NOOP_MAX), "--save-dir", str(folder),
            "--threads", "1", "--steps", str(MAX_STEPS),
        ]  # fmt: skip
    if before < minutes:
        before += train([_program("mario-train"), *flags], folder / "console", minutes - before)
        used.write_text(str(before))
    (run,) = (path.parent for path in folder.glob("*/config.yaml"))
    last = evaluate(run / "last.chkpt")
    best = evaluate(run / "best.chkpt") if (run / "best.chkpt").exists() else last
    row = {"level": level, "learner": learner, "seed": seed, "core_minutes": round(before, 1)}
    return row | {"last": last, "best": best}


def format_table(rows: Sequence[Row]) -> str:
    """Return a Markdown table with a line per level and learner, and a value per seed."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["level"], row["learner"]), []).append(row)
    lines = [HEADER, " | ".join(["---"] * 2 + ["--:"] * 5)]
    for (level, learner), runs in groups.items():
        cells = (
            [f"{run['core_minutes']:.0f}" for run in runs],
            [f"{run['last']['steps_trained']:,}" for run in runs],
            [f"{run['last']['clear_rate']:.0%}" for run in runs],
            [f"{run['best']['clear_rate']:.0%}" for run in runs],
            [f"{run['last']['mean_x_pos']:.0f}" for run in runs],
        )
        lines.append(" | ".join([level, learner, *(" / ".join(cell) for cell in cells)]))
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def _read(path: Path) -> list[Row]:
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else []


def _write(rows: Sequence[Row], out: Path) -> None:
    text, table = json.dumps(rows, indent=1) + "\n", format_table(rows)
    write_atomically(out / "learners.json", lambda file: file.write(text.encode()))
    write_atomically(out / "learners.md", lambda file: file.write(table.encode()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the runs that are missing, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the table")
    parser.add_argument("runs", type=Path, help="folder of the runs")
    parser.add_argument("--levels", nargs="+", default=["5-3", "8-1", "4-4"], choices=LEVELS)
    parser.add_argument("--learners", nargs="+", default=list(LEARNERS), choices=list(LEARNERS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--minutes", type=float, default=15.0, help="core-minutes of each run")
    parser.add_argument("--jobs", type=int, default=2, help="number of parallel runs")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    rows = _read(options.out / "learners.json")
    known = {(row["level"], row["learner"], row["seed"]) for row in rows}
    wanted = itertools.product(options.levels, options.learners, options.seeds)

    def run(key: tuple[str, str, int]) -> Row:
        """Train a run and return its row."""
        level, learner, seed = key
        name = learner.replace(", ", "-").replace(" ", "-")
        return measure(*key, options.runs / level / name / str(seed), options.minutes)

    with ThreadPoolExecutor(options.jobs) as pool:
        for row in pool.map(run, [key for key in wanted if key not in known]):
            rows.append(row)
            _write(rows, options.out)
    print(format_table(rows))


if __name__ == "__main__":
    main()
