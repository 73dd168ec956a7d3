"""What the replay memory takes on disk and how long a batch takes, by its size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SCRIPT = Path(__file__).parents[1] / "bench_memory.py"


def measure_memories(quick: bool) -> list[dict[str, Any]]:
    """Rows of ``bench_memory.py`` for each size, with the ``capacity`` they are for."""
    found: list[dict[str, Any]] = []
    for capacity in (10_000, 100_000) if quick else (10_000, 30_000, 100_000, 300_000):
        asked = ["--capacity", str(capacity), "--tutorial-capacity", "2000", "--json"]
        done = subprocess.run(
            [sys.executable, SCRIPT, *asked], check=True, capture_output=True, text=True
        )
        written = done.stdout[done.stdout.index("[\n") :]  # below what torchrl has to say
        found += [row | {"capacity": capacity} for row in json.loads(written)]
    return found


def memory_table(found: list[dict[str, Any]]) -> str:
    """The rows as text."""
    head = f"{'bytes each':>14}{'ms for 32':>12}"
    return "\n".join(
        [f"\nmemory\n{'':<44}{head}"]
        + [
            f"{row['layout'] + ', ' + format(row['capacity'], ','):<44}"
            f"{row['bytes_per_transition']:>14,.0f}{row['recall_ms']:>12.3f}"
            for row in found
        ]
    )


def plot_memories(found: list[dict[str, Any]], folder: Path) -> None:
    """Draw how recall grows with the size of the memory."""
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for layout in dict.fromkeys(row["layout"] for row in found):
        points = [row for row in found if row["layout"] == layout]
        sizes = [row["capacity"] for row in points]
        axes.plot(sizes, [row["recall_ms"] for row in points], "o-", label=layout)
    axes.set(xscale="log", xlabel="transitions", ylabel="ms for a batch of 32", ylim=(0, None))
    axes.legend()
    axes.set_title("recall, by the size of the memory")
    figure.savefig(folder / "recall.png", dpi=120)
    plt.close(figure)
