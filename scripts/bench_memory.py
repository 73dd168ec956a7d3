"""Measure what a transition takes on disk and how long a batch takes to be drawn.

Ours, frames kept once each, drawn uniformly or by priority (then the errors are given back, too),
beside the tutorial's: a torchrl `TensorDictReplayBuffer` whose
`LazyMemmapStorage` keeps both stacks of every transition as float32. Theirs is filled less far, and
its bytes are scaled up. The draws of all take turns, so that a busy machine slows them alike.

    python scripts/bench_memory.py [--capacity 100000] [--batch-size 32] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tensordict import TensorDict
from torchrl.data import LazyMemmapStorage, TensorDictReplayBuffer

from agents import FrameReplay, Transitions
from agents.replay.prioritized import PrioritizedFrameReplay
from mario.system.tuning import tune_process

STATE_SHAPE = (4, 84, 84)
EPISODE = 221
"""Steps of an episode, the mean of the tutorial's log."""

Draw = Callable[[], Any]


def fill_ours(memory: FrameReplay, lanes: int) -> None:
    """Fill a memory of ours to its capacity with noise."""
    generator = np.random.default_rng(0)
    states = generator.integers(0, 256, (lanes, *STATE_SHAPE), dtype=np.uint8)
    actions, rewards = np.ones(lanes, np.int64), np.ones(lanes, np.float32)
    never = np.zeros(lanes, np.bool_)
    for step in range(memory.capacity // lanes + 10):
        # other pixels each time, so that no row is a copy of the one before
        states[:, :, step % 84] = generator.integers(0, 256, 84, dtype=np.uint8)
        ended = np.full(lanes, step % EPISODE == EPISODE - 1)
        memory.cache(Transitions(states, actions, rewards, ended, never, states, ~never))


def draw_and_prioritize(memory: PrioritizedFrameReplay, batch_size: int) -> None:
    """What an update asks of a memory that draws by priority; errors are noise."""
    rows = memory.sample(batch_size)["row"].numpy()
    memory.prioritize(rows, np.random.default_rng(0).random(batch_size, np.float32))


def fill_theirs(folder: Path, capacity: int) -> TensorDictReplayBuffer:
    """A memory in the tutorial's layout in ``folder``, filled to its capacity with noise."""
    memory = TensorDictReplayBuffer(storage=LazyMemmapStorage(capacity, scratch_dir=folder))
    for _ in range(capacity):
        memory.add(
            TensorDict(
                {
                    "state": torch.rand(STATE_SHAPE),
                    "next_state": torch.rand(STATE_SHAPE),
                    "action": torch.tensor([1]),
                    "reward": torch.tensor([1.0]),
                    "done": torch.tensor([False]),
                },
                batch_size=[],
            )
        )
    return memory


def disk_usage(folder: Path) -> int:
    """Bytes that the files below ``folder`` really take, as ``du`` counts them."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def median_times(draws: dict[str, Draw], repeats: int) -> dict[str, float]:
    """Median milliseconds of each draw; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in draws}
    for _ in range(repeats):
        for name, draw in draws.items():
            start = time.perf_counter()
            draw()
            times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(each) for name, each in times.items()}


def measure(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Fill all memories below ``folder`` and measure them; one row for each."""
    size, batch = (STATE_SHAPE, options.lanes, options.capacity), options.batch_size
    ours = {
        f"single frames, {n}-step": FrameReplay(folder / str(n), *size, n_step=n) for n in (1, 3)
    }
    by_priority = PrioritizedFrameReplay(folder / "priority", *size)
    ours["by priority, 1-step"] = by_priority
    for memory in ours.values():
        fill_ours(memory, options.lanes)
    theirs = fill_theirs(folder / "theirs", options.tutorial_capacity)
    sizes = {
        name: disk_usage(memory.folder) / options.capacity for name, memory in ours.items()
    } | {"tutorial's layout": disk_usage(folder / "theirs") / options.tutorial_capacity}
    draws: dict[str, Draw] = {
        name: lambda memory=memory: memory.sample(batch)  # type: ignore[misc]
        for name, memory in ours.items()
    }
    draws["by priority, 1-step"] = lambda: draw_and_prioritize(by_priority, batch)
    draws["tutorial's layout"] = lambda: theirs.sample(batch)
    times = median_times(draws, options.repeats)
    return [
        {
            "layout": name,
            "bytes_per_transition": round(sizes[name], 1),
            "gb_per_100k": round(sizes[name] * 1e5 / 1e9, 2),
            "recall_ms": round(times[name], 3),
        }
        for name in draws
    ]


def parse() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--capacity", type=int, default=100_000, help="transitions of ours")
    parser.add_argument("--tutorial-capacity", type=int, default=5_000, help="of the tutorial's")
    parser.add_argument("--batch-size", type=int, default=32, help="transitions of a draw")
    parser.add_argument("--lanes", type=int, default=8, help="games that fill ours")
    parser.add_argument("--repeats", type=int, default=500, help="draws of each")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch")
    parser.add_argument("--folder", type=Path, help="where the files go for the while")
    parser.add_argument("--json", action="store_true", help="print JSON in place of a table")
    return parser.parse_args()


def main() -> None:
    """Measure, and print."""
    options = parse()
    tune_process()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        rows = measure(Path(folder), options)
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(
        f"{'layout':<24}{'bytes each':>12}{'GB for 100k':>13}{f'ms for {options.batch_size}':>11}"
    )
    for row in rows:
        print(
            f"{row['layout']:<24}{row['bytes_per_transition']:>12,.0f}"
            f"{row['gb_per_100k']:>13.2f}{row['recall_ms']:>11.3f}"
        )


if __name__ == "__main__":
    main()
