"""Measure how fast all this is, and others beside it; everything in one run, taking turns.

    scripts/bench [--quick] [--out FOLDER] [--only LEARNING ...]

Prints a table, and writes ``bench.json`` and a plot of each group into the folder. Ratios are
medians over the rounds, each with its own base, so that a busy machine harms them least.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from contender import measure
from environment import other_python
from groups import Group, all_groups
from learner import FLOP_PER_SAMPLE
from memories import measure_memories, memory_table, plot_memories
from report import add_limits, plot, rows, table

from agents.compute.precision import resolve_precision
from mario.system.threads import cores

ROOT = Path(__file__).parents[2]


def parse() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a minute or two in place of ten")
    parser.add_argument("--rounds", type=int, help="turns of each contender")
    parser.add_argument("--seconds", type=float, help="length of a turn")
    parser.add_argument("--out", type=Path, default=Path("bench"), help="folder of JSON and plots")
    parser.add_argument("--only", nargs="*", default=[], help="words in the titles of the groups")
    parser.add_argument("--no-others", action="store_true", help="neither FCEUmm nor SB3")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.seconds = options.seconds or (0.7 if options.quick else 3.0)
    return options


def machine() -> dict[str, Any]:
    """Where the numbers come from, and how busy it was when they were begun."""
    cuda = torch.cuda.is_available()
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": cores(),
        "load": os.getloadavg()[0],
        "gpu": torch.cuda.get_device_name() if cuda else None,
        "learns with": str(resolve_precision("auto", "cuda" if cuda else "cpu")),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def find_others() -> Path | None:
    """The Python that has the others' software, None if it cannot be installed."""
    try:
        return other_python()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"without FCEUmm and Stable-Baselines3: {error}", file=sys.stderr)
        return None


def main() -> None:
    """Measure all groups that were asked for, one after the other."""
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    others = None if options.no_others else find_others()
    result: dict[str, Any] = {"machine": machine(), "groups": {}}
    print(json.dumps(result["machine"]))
    groups = all_groups(others, options.quick)
    for group in groups:
        if _asked(group.title, options.only):
            samples, refused = measure(group.contenders, options.rounds, options.seconds)
            result["groups"][group.title] = rows(group, samples, refused)
            _show(group, result["groups"], options.out)
    if _asked("memory", options.only):
        result["memory"] = measure_memories(options.quick)
        print(memory_table(result["memory"]))
        plot_memories(result["memory"], options.out)
    (options.out / "bench.json").write_text(json.dumps(result, indent=2) + "\n")


def _asked(title: str, words: list[str]) -> bool:
    return not words or any(word in title for word in words)


def _show(group: Group, found: dict[str, list[dict[str, Any]]], folder: Path) -> None:
    print(table(group, found[group.title]), flush=True)
    plot(group, found[group.title], folder)
    if group.title == "matrix products" and "updates" in found:
        add_limits(found["updates"], found[group.title], FLOP_PER_SAMPLE)
        for row in found["updates"]:
            if "share_of_peak" in row:
                print(f"    updates, {row['name']}: {row['share_of_peak']:.0%} of that")


if __name__ == "__main__":
    main()
