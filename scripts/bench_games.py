"""Measure how many decisions a second games can be played at, by each of the ways there are.

A decision is what an agent waits for: four frames, reward and end, a stack of gray pictures, now
and then a new episode. Actions are random. The ways take turns, so that a busy machine slows them
alike; what counts is the ratio to the first, nes-py and the wrappers in one process.

    python scripts/bench_games.py [--games 1 8 64] [--threads 1 2] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from mario.build import make_env
from mario.config import DEFAULT_GAME
from mario.fused import FusedVector
from wrappers import WrapperConfig

WRAPPERS = WrapperConfig(noops=30)
ODDS = [0.05, 0.1, 0.15, 0.3, 0.3, 0.05, 0.05]
"""How likely each action of the set "simple" is: mostly to the right, into things."""

Play = Callable[[], int]
"""Takes one step and tells how many decisions that was."""


def wrapped(emulator: str) -> Play:
    """One game in this process, as the wrappers show it."""
    env = make_env(DEFAULT_GAME, "simple", emulator, WRAPPERS)
    random = np.random.default_rng(0)
    env.reset(seed=0)

    def _step() -> int:
        _, _, terminated, truncated, _ = env.step(int(random.choice(len(ODDS), p=ODDS)))
        if terminated or truncated:
            env.reset()
        return 1

    return _step


def fused(num_envs: int, threads: int) -> Play:
    """Several games on the fused path."""
    games = FusedVector(num_envs, level="1-1", wrappers=WRAPPERS, threads=threads)
    random = np.random.default_rng(0)
    games.reset()

    def _step() -> int:
        games.step(random.choice(len(ODDS), num_envs, p=ODDS))
        return num_envs

    return _step


def rates(play: Play, seconds: float) -> tuple[float, float]:
    """Decisions per second of the clock, and per second of a core's time."""
    decisions, start, used = 0, time.perf_counter(), time.process_time()
    while (passed := time.perf_counter() - start) < seconds:
        decisions += play()
    return decisions / passed, decisions / (time.process_time() - used)


def measure(ways: dict[str, Play], rounds: int, seconds: float) -> list[dict[str, Any]]:
    """Medians of all ways, taking turns; one row for each."""
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, play in ways.items():
            measured[name].append(rates(play, seconds))
    rows = []
    for name, figures in measured.items():
        clock, core = (statistics.median(column) for column in zip(*figures, strict=True))
        rows.append({"way": name, "per_second": round(clock), "per_core_second": round(core)})
    return [row | {"ratio": round(row["per_second"] / rows[0]["per_second"], 1)} for row in rows]


def parse() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--games", type=int, nargs="+", default=[1, 8, 64], help="at a time")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="that play them")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each way")
    parser.add_argument("--seconds", type=float, default=0.5, help="of a turn")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    return parser.parse_args()


def main() -> None:
    """Measure, and print."""
    options = parse()
    ways = {"nes-py, wrappers": wrapped("nes-py")} | {
        f"fused, {games} games, {threads} threads": fused(games, threads)
        for games in options.games
        for threads in options.threads
        if threads <= games
    }
    rows = measure(ways, options.rounds, options.seconds)
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'way':<30}{'decisions/s':>13}{'per core':>10}{'ratio':>8}")
    for row in rows:
        print(
            f"{row['way']:<30}{row['per_second']:>13,}{row['per_core_second']:>10,}"
            f"{row['ratio']:>8}"
        )


if __name__ == "__main__":
    main()
