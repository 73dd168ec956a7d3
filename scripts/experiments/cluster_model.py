"""Predict the throughput of training with shared gradients on 1 to 1,000 workers.

    python scripts/experiments/cluster_model.py COSTS.json [--gbit-per-second 10]

COSTS.json is what ``cluster_costs.py`` has measured. The numbers of workers that it has trained are
checked by a measurement; everything beyond them is extrapolation.

The model: every worker has the same number of environments and rows, so that the batch grows with
the number of workers. In each update a worker computes its gradient, the driver receives and adds
one gradient per worker, takes one optimizer step, and sends the weights once to each machine.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

CALL_SECONDS = 0.00055
"""Driver time of one call of a Ray actor, measured on loopback."""
COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)


@dataclass(frozen=True)
class Costs:
    """Measured costs.

    Attributes:
        play_seconds: CPU time of a worker for one update and the steps that belong to it.
        load_seconds: CPU time of a worker to load weights and flatten its gradient.
        add_seconds: CPU time of the driver for one gradient: check and add.
        update_seconds: CPU time of the driver for one optimizer step and one set of weights.
        message_bytes: bytes of a gradient, and of the weights.
        steps_per_update: agent steps of one worker per update.
        trained: measured speed by number of workers, 0 for no cluster: steps per second, and
            steps per second of CPU time.
        cores: cores of the machine on which it was trained.
    """

    play_seconds: float
    load_seconds: float
    add_seconds: float
    update_seconds: float
    message_bytes: int
    steps_per_update: float
    trained: dict[str, tuple[float, float]]
    cores: int


@dataclass(frozen=True)
class Network:
    """The cluster around the driver.

    Attributes:
        bytes_per_second: of the driver's network interface, in each direction.
        workers_per_machine: workers that share one copy of the weights.
        cores: cores of a single machine on which everything runs; None for a core per worker.
    """

    bytes_per_second: float
    workers_per_machine: int = 16
    cores: int | None = None


def update_parts(costs: Costs, workers: int, network: Network) -> dict[str, float]:
    """Return the seconds that the parts of one update take, one after another.

    >>> costs = Costs(1.0, 0.1, 0.01, 0.02, 10**6, 8, {}, 2)
    >>> parts = update_parts(costs, 10, Network(1e8))
    >>> round(parts["network: gradients"], 3), round(parts["driver: adding"], 3)
    (0.1, 0.1)
    """
    machines = math.ceil(workers / network.workers_per_machine)
    local = network.cores is not None
    contention = max(1.0, workers / network.cores) if network.cores else 1.0
    wire = 0.0 if local else costs.message_bytes / network.bytes_per_second
    return {
        "workers: play and learn": (costs.play_seconds + costs.load_seconds) * contention,
        "network: gradients": workers * wire,
        "network: weights": machines * wire,
        "driver: adding": workers * costs.add_seconds,
        "driver: calls": workers * CALL_SECONDS,
        "driver: optimizer step": costs.update_seconds,
    }


def with_remedies(costs: Costs, workers: int, network: Network) -> dict[str, tuple[float, str]]:
    """Return the steps per second with each remedy, and what then is the largest part.

    The remedies: one sum per machine instead of one gradient per worker, gradients in half as many
    bytes, and eight times as many rows per update.
    """
    machines = math.ceil(workers / network.workers_per_machine)
    plain = update_parts(costs, workers, network)
    summed = update_parts(costs, machines, network) | {
        "workers: play and learn": plain["workers: play and learn"]
        + network.workers_per_machine * costs.add_seconds,
        "network: weights": plain["network: weights"],
    }
    halved = update_parts(replace(costs, message_bytes=costs.message_bytes // 2), workers, network)
    larger = replace(
        costs, play_seconds=8 * costs.play_seconds, steps_per_update=8 * costs.steps_per_update
    )
    steps = workers * costs.steps_per_update
    return {
        "one sum per machine": (steps / sum(summed.values()), largest(summed)),
        "half the bytes": (steps / sum(halved.values()), largest(halved)),
        "8 times the rows": (
            8 * steps / sum((parts := update_parts(larger, workers, network)).values()),
            largest(parts),
        ),
    }


def largest(parts: dict[str, float]) -> str:
    """Return the name of the part that takes longest.

    >>> largest({"a": 1.0, "b": 2.0})
    'b'
    """
    return max(parts, key=lambda name: parts[name])


def steps_per_second(costs: Costs, workers: int, network: Network) -> float:
    """Return the predicted agent steps per second of all workers."""
    seconds = sum(update_parts(costs, workers, network).values())
    return workers * costs.steps_per_update / seconds


def table(costs: Costs, network: Network) -> str:
    """Return the predictions as a Markdown table."""
    remedies = tuple(with_remedies(costs, 1, network))
    heads = ("workers", "steps/s", "efficiency", "largest part", *remedies)
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    one = steps_per_second(costs, 1, network)
    for workers in COUNTS:
        rate = steps_per_second(costs, workers, network)
        others = [f"{value:,.0f}" for value, _ in with_remedies(costs, workers, network).values()]
        part = largest(update_parts(costs, workers, network))
        efficiency = f"{rate / one / workers:.0%}"
        cells = (f"{workers:,}", f"{rate:,.0f}", efficiency, part, *others)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def steps_per_cpu_second(costs: Costs, workers: int) -> float:
    """Return the predicted agent steps per second of CPU time of all processes."""
    worker = costs.play_seconds + costs.load_seconds + costs.add_seconds + CALL_SECONDS
    return workers * costs.steps_per_update / (workers * worker + costs.update_seconds)


def check_table(costs: Costs) -> str:
    """Return predictions for the machine of the measurement beside what was measured there."""
    network = Network(math.inf, cores=costs.cores)
    heads = ("workers", "steps/s predicted", "measured", "steps/CPU s predicted", "measured")
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for name, (rate, cpu_rate) in costs.trained.items():
        if workers := int(name):
            predicted = steps_per_second(costs, workers, network)
            cpu_predicted = steps_per_cpu_second(costs, workers)
            cells = (f"{predicted:,.0f}", f"{rate:,.0f}", f"{cpu_predicted:,.0f}")
            lines.append(f"| {workers} | {' | '.join(cells)} | {cpu_rate:,.0f} |")
        else:
            lines.append(f"| no cluster | | {rate:,.0f} | | {cpu_rate:,.0f} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Print the predictions from measured costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("costs", type=Path, help="JSON file of cluster_costs.py")
    parser.add_argument("--gbit-per-second", type=float, default=10.0)
    flags = parser.parse_args(arguments)
    costs = Costs(**json.loads(flags.costs.read_text()))
    print(check_table(costs), end="\n\n")
    print(table(costs, Network(flags.gbit_per_second * 1e9 / 8)))


if __name__ == "__main__":
    main(sys.argv[1:])
