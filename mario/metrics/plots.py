"""The plots of a run: reward, length and the training metrics of each episode."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mario.system.files import write_atomically

Values = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True)
class Plot:
    """The labels and colors of one plot.

    Attributes:
        file: name of the file in the run's folder.
        title: title of the plot.
        unit: label of the vertical axis, with its unit.
        color: color of the moving average.
        pale: color of the individual episodes.
    """

    file: str
    title: str
    unit: str
    color: str
    pale: str


PLOTS = {
    "reward": Plot(
        "reward_plot.jpg", "Reward per episode", "reward (points)", "#1f6fb4", "#a9cceb"
    ),
    "length": Plot(
        "length_plot.jpg", "Length per episode", "length (steps)", "#2a8f5b", "#a8d8be"
    ),
    "loss": Plot(
        "loss_plot.jpg", "Loss", "mean loss per episode", "#c4512d", "#f0b9a5"
    ),
    "q": Plot(
        "q_plot.jpg", "Estimated action value", "mean Q (discounted reward)", "#7a4fa3", "#cdb5e3"
    ),
    "entropy": Plot(
        "entropy_plot.jpg", "Entropy of the policy", "mean entropy (nats)", "#7a4fa3", "#cdb5e3"
    ),
    "approx_kl": Plot(
        "approx_kl_plot.jpg", "Change of the policy per update",
        "mean approximate KL divergence (nats)", "#8a6d1f", "#dccb9a",
    ),
    "clip_fraction": Plot(
        "clip_fraction_plot.jpg", "Clipped probability ratios", "mean fraction of samples",
        "#8a6d1f", "#dccb9a",
    ),
    "explained_variance": Plot(
        "explained_variance_plot.jpg", "Explained variance of the returns",
        "mean fraction of the variance", "#2a8f5b", "#a8d8be",
    ),
}  # fmt: skip


def plot_of(name: str) -> Plot:
    """Return the plot of a metric; the labels of an unknown metric are made from its name.

    >>> plot_of("value_loss").title
    'Value loss'
    """
    words = name.replace("_", " ")
    return PLOTS.get(name) or Plot(
        f"{name}_plot.jpg",
        words.capitalize(),
        f"mean {words} per episode",
        PLOTS["loss"].color,
        PLOTS["loss"].pale,
    )


def moving_average(values: Values, window: int) -> NDArray[np.float64]:
    """Return the mean of each value and the values before it, at most ``window`` in total.

    Args:
        values: ``(n,)``. NaN is left out.
        window: maximum number of values in a mean.

    Returns:
        float64 ``(n,)``, NaN where there is no value.

    >>> moving_average([2.0, 4.0, 6.0, 8.0], window=2).tolist()
    [2.0, 3.0, 5.0, 7.0]
    """
    known = ~np.isnan(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0), dtype=np.float64)])
    counts = np.concatenate([[0], np.cumsum(known)])
    ends = np.arange(1, len(sums))
    starts = np.maximum(ends - window, 0)
    means = np.full(len(values), np.nan)
    covered = counts[ends] - counts[starts]
    np.divide(sums[ends] - sums[starts], covered, out=means, where=covered > 0)
    return means


def draw(plot: Plot, values: Values, window: int, file: BinaryIO) -> None:
    """Draw one plot as a JPEG.

    Args:
        plot: labels and colors.
        values: ``(num_episodes,)``, in the order of the episodes; NaN draws no point.
        window: episodes in the moving average.
        file: file to write the image to.
    """
    # Do not use pyplot, because its global state is not thread-safe.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    episodes = np.arange(1, len(values) + 1)
    # The points are opaque: many overlapping transparent points would hide the average.
    size = float(np.clip(2000 / len(values), 3, 8))
    axes.plot(episodes, values, ".", color=plot.pale, markersize=size, label="one episode")
    mean = moving_average(values, window)
    axes.plot(episodes, mean, color=plot.color, linewidth=1.8, label=f"mean of the last {window}")
    axes.plot(episodes[-1:], mean[-1:], "o", color=plot.color, markersize=5)
    axes.set_xlim(0, 1.01 * len(values) + 1)
    _label(axes, plot)
    figure.savefig(file, format="jpg", pil_kwargs={"quality": 92, "subsampling": 0})


def _label(axes: Any, plot: Plot) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(plot.title, loc="left", fontsize=13, fontweight="bold")
    axes.set_xlabel("episode")
    axes.set_ylabel(plot.unit)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.grid(color="#e4e4e4", zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)


def draw_all(folder: Path, columns: Mapping[str, Values], window: int) -> None:
    """Draw a plot of each column and replace each file atomically.

    Args:
        folder: the run's folder.
        columns: values by name of the metric, ``(num_episodes,)`` each.
        window: episodes in the moving average.

    Raises:
        OSError: a file cannot be written.
    """
    for name, values in columns.items():
        _draw_into(folder, plot_of(name), values, window)


def _draw_into(folder: Path, plot: Plot, values: Values, window: int) -> None:
    write_atomically(folder / plot.file, lambda file: draw(plot, values, window, file))


class BackgroundPlots:
    """Draws the plots in a thread, so that training does not wait for them.

    Args:
        folder: folder for the plots.
        window: episodes in the moving average.
        seconds: minimum time in seconds before the plots are drawn again.
    """

    def __init__(self, folder: Path, window: int, seconds: float) -> None:
        self._folder = folder
        self._window = window
        self._seconds = seconds
        self._next_time = 0.0
        self._drawing: Future[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="plots")

    def offer(self, columns: Mapping[str, Values]) -> None:
        """Draw the plots if the minimum time has passed and the previous plots are finished.

        Args:
            columns: see `draw_all`; copied before this returns.

        Raises:
            OSError: the previous plots could not be written.
        """
        last = self._drawing
        if time.monotonic() < self._next_time or (last and not last.done()):
            return
        self._next_time = time.monotonic() + self._seconds
        self._drawing = self._draw(columns)
        if last:
            last.result()

    def close(self, columns: Mapping[str, Values]) -> None:
        """Draw the plots one last time if there are episodes, and wait until they are written.

        Raises:
            OSError: the plots could not be written.
        """
        if len(columns["reward"]):  # a session that fails to start keeps the earlier plots
            self._drawing = self._draw(columns)
        self._thread.shutdown()
        if self._drawing:
            self._drawing.result()

    def _draw(self, columns: Mapping[str, Values]) -> Future[None]:
        copies = {name: np.array(columns[name], dtype=np.float64) for name in columns}
        return self._thread.submit(draw_all, self._folder, copies, self._window)
