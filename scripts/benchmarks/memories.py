"""The size of a replay memory and the time of a sample, by its capacity."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SCRIPT = Path(__file__).with_name("replay_memory.py")


def measure_memories(quick: bool) -> list[dict[str, Any]]:
    """Return what ``replay_memory.py`` measures of each layout, for several capacities."""
    rows: list[dict[str, Any]] = []
    for capacity in (10_000, 100_000) if quick else (10_000, 30_000, 100_000, 300_000):
        flags = ["--capacity", str(capacity), "--tutorial-capacity", "2000", "--entries", "--json"]
        done = subprocess.run(
            [sys.executable, SCRIPT, *flags], check=True, capture_output=True, text=True
        )
        output = done.stdout[done.stdout.index("{\n") :]  # without the log lines of TorchRL
        rows += [row | {"capacity": capacity} for row in json.loads(output)["layouts"]]
    return rows


def memory_table(rows: list[dict[str, Any]]) -> str:
    """Format the rows as text."""
    header = f"{'bytes each':>14}{'ms for 32':>12}"
    return "\n".join(
        [f"\nmemory\n{'':<44}{header}"]
        + [
            f"{row['layout'] + ', ' + format(row['capacity'], ','):<44}"
            f"{row['bytes_per_transition']:>14,.0f}{row['recall_ms']:>12.3f}"
            for row in rows
        ]
    )


def plot_memories(rows: list[dict[str, Any]], folder: Path) -> None:
    """Plot the time of a sample by the capacity."""
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for layout in dict.fromkeys(row["layout"] for row in rows):
        points = [row for row in rows if row["layout"] == layout]
        capacities = [row["capacity"] for row in points]
        axes.plot(capacities, [row["recall_ms"] for row in points], "o-", label=layout)
    axes.set(xscale="log", xlabel="transitions", ylabel="ms for a batch of 32", ylim=(0, None))
    axes.legend()
    axes.set_title("Time of a sample, by the capacity of the replay memory")
    figure.savefig(folder / "recall.png", dpi=120)
    plt.close(figure)
