"""Reports of the measurements: rows, a table and plots."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import matplotlib
from contender import Samples, median_ratio, rates
from groups import Group

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SHARES = ("emulation", "acting", "recall", "learning", "caching")


def make_rows(group: Group, samples: Samples, errors: dict[str, str]) -> list[dict[str, Any]]:
    """Return one row per contender: median rate, ratio to the baseline, shares of its time."""
    baseline = rates(samples[group.baseline], group.unit) if group.baseline in samples else None
    result: list[dict[str, Any]] = []
    for contender in group.contenders:
        row: dict[str, Any] = {"name": contender.name, "x": contender.x, "curve": contender.curve}
        if contender.name in errors:
            result.append(row | {"skipped": errors[contender.name]})
            continue
        contender_samples = samples[contender.name]
        own = rates(contender_samples, group.unit)
        row |= {"median": statistics.median(own), "rounds": own}
        if baseline:
            row["ratio"] = median_ratio(own, baseline)
        if "learning" in contender_samples[0]:
            seconds = sum(sample["seconds"] for sample in contender_samples)
            row["shares"] = {
                name: sum(sample[name] for sample in contender_samples) / seconds for name in SHARES
            }
        result.append(row)
    return result


def table(group: Group, rows: list[dict[str, Any]]) -> str:
    """Format the rows as a text table.

    Args:
        group: The measured group.
        rows: The rows, see `make_rows`.
    """
    unit = f"{group.unit}/s"
    lines = [f"\n{group.title}\n{'':<44}{unit:>14}{'ratio':>9}"]
    for row in rows:
        if "skipped" in row:
            lines.append(f"{row['name']:<44}  skipped: {row['skipped']}")
            continue
        ratio = f"{row['ratio']:9.2f}" if "ratio" in row else ""
        lines.append(f"{row['name']:<44}{row['median']:>14,.0f}{ratio}")
        if "shares" in row:
            shares = ", ".join(f"{name} {share:.0%}" for name, share in row["shares"].items())
            lines.append(f"    {shares}")
    return "\n".join(lines)


def add_limits(
    learner: list[dict[str, Any]], products: list[dict[str, Any]], flop_per_sample: int
) -> None:
    """Add to each row of updates its share of the matrix product rate at the same precision."""
    peaks = {row["name"]: row["median"] for row in products if "median" in row}
    for row in learner:
        if (peak := peaks.get(row["curve"])) and "median" in row:
            row["share_of_peak"] = row["median"] * flop_per_sample / 1e9 / peak


def plot(group: Group, rows: list[dict[str, Any]], folder: Path) -> None:
    """Plot the group's curves, or bars if it has no curves, into a file in ``folder``."""
    measured = [row for row in rows if "median" in row]
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    if group.axis:
        for curve in dict.fromkeys(row["curve"] for row in measured if row["x"] is not None):
            points = [row for row in measured if row["curve"] == curve and row["x"] is not None]
            heights = [row["median"] for row in points]
            axes.plot([row["x"] for row in points], heights, "o-", label=curve or None)
        axes.set_xscale("log", base=2)
        axes.set_xlabel(group.axis)
        axes.set_ylabel(f"{group.unit} per second")
        axes.set_ylim(bottom=0)
        if axes.get_legend_handles_labels()[1]:
            axes.legend()
    else:
        axes.barh([row["name"] for row in measured], [row["median"] for row in measured])
        axes.invert_yaxis()
        axes.set_xlabel(f"{group.unit} per second")
    axes.set_title(group.title)
    figure.savefig(folder / f"{group.title.replace(', ', '-').replace(' ', '-')}.png", dpi=120)
    plt.close(figure)
