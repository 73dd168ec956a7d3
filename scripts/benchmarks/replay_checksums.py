"""Measure what the checksums of a replay memory cost, when it is saved and when it is resumed.

Prints seconds per gigabyte of rows: to cache them, to add checksums to them at a save, and to
verify them at a resume. Each is the median of several rounds. The time to write the rows to the
disk and to read them from it comes in addition, with or without checksums.

    python scripts/benchmarks/replay_checksums.py [--capacity 50000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from replay_memory import STATE_SHAPE, noise

from agents.replay import FrameReplay, FrameStorage, UniformSampler

NUM_ENVS = 8


def make(folder: Path, capacity: int) -> FrameReplay:
    """Open a replay memory."""
    return FrameReplay(FrameStorage(folder, STATE_SHAPE, NUM_ENVS, capacity), UniformSampler())


def seconds(task: Callable[[], object]) -> float:
    """Return how long a task takes."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def cache_all(replay: FrameReplay, capacity: int) -> None:
    """Fill a replay memory."""
    steps = noise(NUM_ENVS)
    for _ in range(capacity // NUM_ENVS):
        replay.cache(next(steps))


def measure(folder: Path, capacity: int) -> dict[str, float]:
    """Return the seconds of each task for the whole memory."""
    replay = make(folder, capacity)
    times = {"cache": seconds(lambda: cache_all(replay, capacity))}
    with mock.patch("agents.replay.frame_ring.flush_table"):  # without waiting for the disk
        times["add checksums"] = seconds(replay.flush)
    state, resumed = replay.state_dict(), make(folder, capacity)
    times["verify checksums"] = seconds(lambda: resumed.load_state_dict(state))
    if loss := resumed.describe_loss():
        raise RuntimeError(loss)
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--capacity", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    flags = parser.parse_args()
    rounds = []
    for _ in range(flags.rounds):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(measure(Path(folder), flags.capacity))
    gigabytes = flags.capacity * STATE_SHAPE[1] * STATE_SHAPE[2] / 1e9
    for name in rounds[0]:
        median = statistics.median(times[name] for times in rounds)
        per_row = median / flags.capacity * 1e6
        print(f"{name:<18}{median / gigabytes:6.2f} s/GB{per_row:8.2f} us per transition")


if __name__ == "__main__":
    main()
