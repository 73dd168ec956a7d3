"""Measure the speed of this project and of its peers in one run, in turns.

    scripts/bench [--quick] [--out FOLDER] [--only LEARNING ...]

Prints a table and writes ``bench.json`` and a plot of each group into the folder. Ratios are
medians over the rounds, each relative to the baseline in the same round, so that other load on the
machine affects both equally.
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
from contenders.learner import FLOP_PER_SAMPLE
from groups import Group, all_groups
from memories import measure_memories, memory_table, plot_memories
from peer_environment import peer_python
from report import add_limits, make_rows, plot, table

from agents.compute.precision import resolve_precision
from mario.system.threads import available_cores

ROOT = Path(__file__).parents[2]


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--quick", action="store_true", help="measure for a minute or two instead of ten"
    )
    parser.add_argument("--rounds", type=int, help="number of turns per contender")
    parser.add_argument("--seconds", type=float, help="length of a turn in seconds")
    parser.add_argument(
        "--out", type=Path, default=Path("bench"), help="output folder for JSON and plots"
    )
    parser.add_argument(
        "--only",
        nargs="*",
        default=[],
        help="measure only groups whose title contains one of these words",
    )
    parser.add_argument(
        "--no-peers", action="store_true", help="leave out FCEUmm and Stable-Baselines3"
    )
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    options.seconds = options.seconds or (0.7 if options.quick else 3.0)
    return options


def machine() -> dict[str, Any]:
    """Describe the machine and its load at the start."""
    cuda = torch.cuda.is_available()
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": available_cores(),
        "load": os.getloadavg()[0],
        "gpu": torch.cuda.get_device_name() if cuda else None,
        "precision": str(resolve_precision("auto", "cuda" if cuda else "cpu")),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def find_peers() -> Path | None:
    """Return the interpreter with the peers' packages, or None if they cannot be installed."""
    try:
        return peer_python()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"without FCEUmm and Stable-Baselines3: {error}", file=sys.stderr)
        return None


def main() -> None:
    """Measure the selected groups one after the other."""
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    peers = None if options.no_peers else find_peers()
    result: dict[str, Any] = {"machine": machine(), "groups": {}}
    print(json.dumps(result["machine"]))
    groups = all_groups(peers, options.quick)
    for group in groups:
        if _selected(group.title, options.only):
            samples, errors = measure(group.contenders, options.rounds, options.seconds)
            result["groups"][group.title] = make_rows(group, samples, errors)
            _show(group, result["groups"], options.out)
    if _selected("memory", options.only):
        result["memory"] = measure_memories(options.quick)
        print(memory_table(result["memory"]))
        plot_memories(result["memory"], options.out)
    (options.out / "bench.json").write_text(json.dumps(result, indent=2) + "\n")


def _selected(title: str, words: list[str]) -> bool:
    return not words or any(word in title for word in words)


def _show(group: Group, groups: dict[str, list[dict[str, Any]]], folder: Path) -> None:
    print(table(group, groups[group.title]), flush=True)
    plot(group, groups[group.title], folder)
    if group.title == "matrix products" and "updates" in groups:
        add_limits(groups["updates"], groups[group.title], FLOP_PER_SAMPLE)
        for row in groups["updates"]:
            if "share_of_peak" in row:
                share = f"{row['share_of_peak']:.0%} of the matrix product rate"
                print(f"    updates, {row['name']}: {share}")


if __name__ == "__main__":
    main()
