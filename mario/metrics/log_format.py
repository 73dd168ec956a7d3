"""The rows of ``log``, in the columns and widths of the PyTorch tutorial's ``MetricLogger``.

Source: https://pytorch.org/tutorials/intermediate/mario_rl_tutorial.html
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence


def log_header(metrics: Sequence[str]) -> str:
    """Return the first line of ``log``; with the tutorial's metrics it equals the tutorial's.

    Args:
        metrics: names of the training metrics.
    """
    means = "".join(f"{_label(name):>{_width(name)}}" for name in ("reward", "length", *metrics))
    return f"{'Episode':>8}{'Step':>8}{'Epsilon':>10}{means}{'TimeDelta':>15}{'Time':>20}"


def log_row(
    episode: int, step: int, epsilon: float, means: Mapping[str, float], seconds: float
) -> str:
    """Return a row of ``log``.

    Args:
        episode: number of the last episode, from 0.
        step: agent steps so far.
        epsilon: exploration rate.
        means: of the latest episodes by name, in the order of the columns.
        seconds: since the last row.
    """
    now = datetime.datetime.now().strftime("%Y-%m-%dT%H:%M:%S")
    columns = "".join(f"{mean:{_width(name)}.3f}" for name, mean in means.items())
    # " {:7d}" equals "{:8d}" up to seven digits; from ten million steps on, the columns stay apart.
    return f"{episode:8d} {step:7d}{epsilon:10.3f}{columns}{seconds:15.3f}{now:>20}"


def _label(name: str) -> str:
    return "MeanQValue" if name == "q" else f"Mean{name.title().replace('_', '')}"


def _width(name: str) -> int:
    return max(15, len(_label(name)) + 1)
