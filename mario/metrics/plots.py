"""The pictures of a run: reward, length and what is reported of learning, by episode."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mario.system.files import write_atomically

Values = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True)
class Plot:
    """How one picture is labelled.

    Attributes:
        file: its name in the run's folder.
        title: what it shows.
        unit: the label of the vertical axis, with its unit.
        colour: of the moving average.
        pale: the colour of the episodes themselves.
    """

    file: str
    title: str
    unit: str
    colour: str
    pale: str


PLOTS = {
    "reward": Plot(
        "reward_plot.jpg", "Reward of an episode", "reward (points)", "#1f6fb4", "#a9cceb"
    ),
    "length": Plot(
        "length_plot.jpg", "Length of an episode", "length (decisions)", "#2a8f5b", "#a8d8be"
    ),
    "loss": Plot(
        "loss_plot.jpg", "Loss while learning", "mean loss of an episode", "#c4512d", "#f0b9a5"
    ),
    "q": Plot(
        "q_plot.jpg", "Estimated action value", "mean Q (discounted reward)", "#7a4fa3", "#cdb5e3"
    ),
    "entropy": Plot(
        "entropy_plot.jpg", "Entropy of the policy", "mean entropy (nats)", "#7a4fa3", "#cdb5e3"
    ),
    "approx_kl": Plot(
        "approx_kl_plot.jpg", "Movement of the policy", "mean approximate KL divergence (nats)",
        "#8a6d1f", "#dccb9a",
    ),
    "clip_fraction": Plot(
        "clip_fraction_plot.jpg", "Clipped by the loss", "mean share of decisions",
        "#8a6d1f", "#dccb9a",
    ),
    "explained_variance": Plot(
        "explained_variance_plot.jpg", "Returns foreseen by the values",
        "mean share of the variance", "#2a8f5b", "#a8d8be",
    ),
}  # fmt: skip


def plot_of(name: str) -> Plot:
    """How the picture of a report is labelled; one that is not known is named for itself.

    >>> plot_of("value_loss").title
    'Value loss while learning'
    """
    words = name.replace("_", " ")
    return PLOTS.get(name) or Plot(
        f"{name}_plot.jpg",
        f"{words.capitalize()} while learning",
        f"mean {words} of an episode",
        PLOTS["loss"].colour,
        PLOTS["loss"].pale,
    )


def moving_average(values: Values, window: int) -> NDArray[np.float64]:
    """The mean of each value and those before it, up to ``window`` of them.

    Args:
        values: ``(n,)``.
        window: how many at most.

    Returns:
        float64 ``(n,)``.

    >>> moving_average([2.0, 4.0, 6.0, 8.0], window=2).tolist()
    [2.0, 3.0, 5.0, 7.0]
    """
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    ends = np.arange(1, len(sums))
    starts = np.maximum(ends - window, 0)
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts))


def draw(plot: Plot, values: Values, window: int, file: BinaryIO) -> None:
    """Draw one picture as a JPEG.

    Args:
        plot: its labels.
        values: one number per episode, the first episode's first.
        window: episodes in the moving average.
        file: where the picture goes.
    """
    # Figure and canvas by hand: pyplot's global state is not for threads.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 4.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    episodes = np.arange(1, len(values) + 1)
    # Opaque, so that many thousand episodes stay as pale as one and the average stands out.
    size = float(np.clip(2000 / len(values), 3, 8))
    axes.plot(episodes, values, ".", color=plot.pale, markersize=size, label="one episode")
    mean = moving_average(values, window)
    axes.plot(episodes, mean, color=plot.colour, linewidth=1.8, label=f"mean of the last {window}")
    axes.plot(episodes[-1:], mean[-1:], "o", color=plot.colour, markersize=5)
    axes.set_xlim(0, 1.01 * len(values) + 1)
    axes.set_title(plot.title, loc="left", fontsize=13, fontweight="bold")
    axes.set_xlabel("episode")
    axes.set_ylabel(plot.unit)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.grid(color="#e4e4e4", zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)
    figure.savefig(file, format="jpg", pil_kwargs={"quality": 92, "subsampling": 0})


def draw_all(folder: Path, columns: Mapping[str, Values], window: int) -> None:
    """Draw a picture of each column into a run's folder, each replaced in one go.

    Args:
        folder: the run's.
        columns: by name, one number per episode each.
        window: episodes in the moving average.

    Raises:
        OSError: one cannot be written.
    """
    for name, values in columns.items():
        _draw_into(folder, plot_of(name), values, window)


def _draw_into(folder: Path, plot: Plot, values: Values, window: int) -> None:
    write_atomically(folder / plot.file, lambda file: draw(plot, values, window, file))


class BackgroundPlots:
    """Draws the pictures in a thread, so that nobody waits for them.

    Args:
        folder: where they go.
        window: episodes in the moving average.
        seconds: the least time from one drawing to the next.
    """

    def __init__(self, folder: Path, window: int, seconds: float) -> None:
        self._folder = folder
        self._window = window
        self._seconds = seconds
        self._due = 0.0
        self._drawing: Future[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="plots")

    def offer(self, columns: Mapping[str, Values]) -> None:
        """Draw, if it is time to and the last drawing is done.

        Args:
            columns: as `draw_all` wants them; copied before this returns.

        Raises:
            OSError: the last drawing could not be written.
        """
        drawn = self._drawing
        if time.monotonic() < self._due or (drawn and not drawn.done()):
            return
        self._due = time.monotonic() + self._seconds
        self._drawing = self._draw(columns)
        if drawn:
            drawn.result()

    def close(self, columns: Mapping[str, Values]) -> None:
        """Draw a last time, if there is anything to draw, and wait for it.

        Raises:
            OSError: it could not be written.
        """
        if len(columns["reward"]):  # a session that failed to start leaves the last one's pictures
            self._drawing = self._draw(columns)
        self._thread.shutdown()
        if self._drawing:
            self._drawing.result()

    def _draw(self, columns: Mapping[str, Values]) -> Future[None]:
        copies = {name: np.array(columns[name], dtype=np.float64) for name in columns}
        return self._thread.submit(draw_all, self._folder, copies, self._window)
