"""Measure the size of a replay memory, and the times of sampling and of updating priorities.

The first table compares `FrameReplay` with the tutorial's layout: a `TensorDictReplayBuffer` of
TorchRL whose `LazyMemmapStorage` has both stacks of every transition as float32. That one is filled
less far, and its size is scaled up. The second table compares `PrioritizedSampler` with the one of
TorchRL, and with the duration of an update of the preset ``mario``. All measurements take turns,
so that other load on the machine affects them equally, and are medians.

    python scripts/benchmarks/replay_memory.py [--capacity 100000] [--batch-size 32] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from tensordict import TensorDict
from torchrl.data import LazyMemmapStorage, LazyTensorStorage, TensorDictReplayBuffer
from torchrl.data import PrioritizedSampler as TorchRLPrioritizedSampler

from agents import DDQN, AgentSpec, DDQNConfig, FrameReplay, Transitions
from agents.replay.frame_storage import FrameStorage
from agents.replay.samplers import PrioritizedSampler, UniformSampler
from mario.config.serialization import from_dict
from mario.system.tuning import tune_process

STATE_SHAPE = (4, 84, 84)
EPISODE_LENGTH = 221
"""The mean in the tutorial's log, in steps."""

PRESET = Path(__file__).parents[2] / "mario" / "config" / "presets" / "mario.yaml"
BATCH_SIZES = 64, 128

Task = Callable[[], Any]


def noise(num_envs: int, state_shape: tuple[int, ...] = STATE_SHAPE) -> Iterator[Transitions]:
    """Yield steps whose frames all differ."""
    generator = np.random.default_rng(0)
    states = generator.integers(0, 256, (num_envs, *state_shape), dtype=np.uint8)
    actions, rewards = np.ones(num_envs, np.int64), np.ones(num_envs, np.float32)
    never = np.zeros(num_envs, np.bool_)
    step = 0
    while True:
        states[:, :, step % state_shape[1]] = generator.integers(0, 256, state_shape[-1])
        ended = np.full(num_envs, step % EPISODE_LENGTH == EPISODE_LENGTH - 1)
        yield Transitions(states, actions, rewards, ended, never, states, ~never)
        step += 1


def fill(replay: FrameReplay) -> None:
    """Fill a replay memory to its capacity."""
    storage = replay.storage
    steps = noise(storage.num_envs, storage.state_shape)
    for _ in range(storage.window.env_capacity + 10):
        replay.cache(next(steps))


def sample_and_update(replay: FrameReplay, batch_size: int) -> None:
    """Do what an update asks of a replay memory with priorities; the errors are noise."""
    index = replay.sample(batch_size)["index"]
    replay.update_priorities(index, np.random.default_rng(0).random(batch_size, np.float32))


def fill_tutorial(folder: Path, capacity: int) -> TensorDictReplayBuffer:
    """Return a replay memory in the tutorial's layout, filled to its capacity."""
    replay = TensorDictReplayBuffer(storage=LazyMemmapStorage(capacity, scratch_dir=folder))
    for _ in range(capacity):
        replay.add(
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
    return replay


def disk_usage(folder: Path) -> int:
    """Return the bytes that the files below ``folder`` take on disk, like ``du``."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def median_times(tasks: dict[str, Task], repeats: int) -> dict[str, float]:
    """Return the median duration of each task in milliseconds; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repeats):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(durations) for name, durations in times.items()}


def measure_layouts(folder: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Fill replay memories of all layouts below ``folder`` and measure each."""
    batch_size = options.batch_size
    size = STATE_SHAPE, options.num_envs, options.capacity
    uniform = {
        f"single frames, {n}-step": FrameReplay(
            FrameStorage(folder / str(n), *size, n_step=n), UniformSampler()
        )
        for n in (1, 3)
    }
    storage = FrameStorage(folder / "prioritized", *size)
    prioritized = FrameReplay(storage, PrioritizedSampler(storage))
    ours = uniform | {"prioritized, 1-step": prioritized}
    for replay in ours.values():
        fill(replay)
    tutorial = fill_tutorial(folder / "tutorial", options.tutorial_capacity)
    sizes = {
        name: disk_usage(replay.storage.folder) / options.capacity for name, replay in ours.items()
    } | {"tutorial's layout": disk_usage(folder / "tutorial") / options.tutorial_capacity}
    tasks: dict[str, Task] = {
        name: lambda replay=replay: replay.sample(batch_size)  # type: ignore[misc]
        for name, replay in uniform.items()
    }
    tasks["prioritized, 1-step"] = lambda: sample_and_update(prioritized, batch_size)
    tasks["tutorial's layout"] = lambda: tutorial.sample(batch_size)
    times = median_times(tasks, options.repeats)
    return [
        {
            "layout": name,
            "bytes_per_transition": round(sizes[name], 1),
            "gb_per_100k": round(sizes[name] * 1e5 / 1e9, 2),
            "recall_ms": round(times[name], 3),
        }
        for name in tasks
    ]


def sampler_tasks(storage: FrameStorage, batch_size: int) -> dict[str, Task]:
    """Return sampling and updating by both prioritized samplers, without reading transitions."""
    entries, errors = storage.max_size, torch.rand(batch_size)
    ours, peer = PrioritizedSampler(storage, alpha=0.5), TorchRLPrioritizedSampler(entries, 0.5, 0)
    peer_storage = LazyTensorStorage(entries)
    peer_storage.set(range(entries), TensorDict({"state": torch.zeros(entries)}, [entries]))
    indices, priorities = torch.from_numpy(storage.indices()), torch.rand(len(storage))
    ours.update_priority(indices, priorities)
    peer.update_priority(torch.arange(entries), torch.rand(entries))

    def random_rows(high: int) -> torch.Tensor:
        """Draw the rows of one batch."""
        return torch.randint(high, (batch_size,))

    return {
        "ours, sample": lambda: ours.sample(storage, batch_size),
        "ours, update": lambda: ours.update_priority(indices[random_rows(len(indices))], errors),
        "torchrl, sample": lambda: peer.sample(peer_storage, batch_size),
        "torchrl, update": lambda: peer.update_priority(random_rows(entries), errors),
    }


def make_learner(batch_size: int, threads: int) -> Task:
    """Return a task that makes one update of the preset ``mario``."""
    values = yaml.safe_load(PRESET.read_text())["hyper"]
    config = replace(
        from_dict(DDQNConfig, values), replay_capacity=2_000, burnin=0, batch_size=batch_size
    )
    num_envs = config.learn_every
    agent = DDQN.build(AgentSpec(STATE_SHAPE, 5, num_envs, threads=threads), config)
    steps = noise(num_envs)
    for _ in range(100):
        agent.cache(next(steps))
        agent.learn()

    def update() -> None:
        """Cache one step of every environment and make the update that it causes."""
        agent.cache(next(steps))
        if agent.learn() is None:
            raise RuntimeError("no update was due")

    return update


def measure_samplers(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure both prioritized samplers for all numbers of entries and batch sizes."""
    results = []
    for entries in options.entries:
        # tiny frames: the sampler never reads them
        storage = FrameStorage(None, (1, 2, 2), options.num_envs, entries)
        fill(FrameReplay(storage, UniformSampler()))
        for batch_size in BATCH_SIZES:
            tasks = sampler_tasks(storage, batch_size)
            tasks["learner"] = make_learner(batch_size, options.threads)
            times = median_times(tasks, options.repeats)
            for name in ("ours", "torchrl"):
                both = times[f"{name}, sample"] + times[f"{name}, update"]
                results.append(
                    {
                        "sampler": name,
                        "entries": entries,
                        "batch_size": batch_size,
                        "sample_us": round(times[f"{name}, sample"] * 1e3, 1),
                        "update_us": round(times[f"{name}, update"] * 1e3, 1),
                        "percent_of_learning": round(100 * both / times["learner"], 2),
                    }
                )
        storage.close()
    return results


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--capacity", type=int, default=100_000, help="transitions of FrameReplay")
    parser.add_argument(
        "--tutorial-capacity", type=int, default=5_000, help="transitions in the tutorial's layout"
    )
    parser.add_argument("--batch-size", type=int, default=32, help="transitions per sample")
    parser.add_argument(
        "--entries",
        type=int,
        nargs="*",
        default=[100_000, 1_000_000],
        help="numbers of priorities to measure samplers with",
    )
    parser.add_argument("--num-envs", type=int, default=8, help="number of environments")
    parser.add_argument("--repeats", type=int, default=500, help="repetitions per measurement")
    parser.add_argument("--threads", type=int, default=1, help="number of threads")
    parser.add_argument("--folder", type=Path, help="parent of the temporary folder of all files")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args()


def print_table(rows: list[dict[str, Any]]) -> None:
    """Print rows with the same keys as a table."""
    for row in rows[:1]:
        print("".join(f"{name:>22}" for name in row))
    for row in rows:
        cells = (cell if isinstance(cell, str) else f"{cell:,}" for cell in row.values())
        print("".join(f"{cell:>22}" for cell in cells))
    print()


def main() -> None:
    """Measure and print the results."""
    options = parse()
    tune_process()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        layouts = measure_layouts(Path(folder), options)
    samplers = measure_samplers(options)
    if options.json:
        print(json.dumps({"layouts": layouts, "samplers": samplers}, indent=2))
    else:
        print_table(layouts)
        print_table(samplers)


if __name__ == "__main__":
    main()
