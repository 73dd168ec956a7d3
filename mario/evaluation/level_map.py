"""Draws a map of the levels of an evaluation that marks where episodes ended without success."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mario.evaluation.episodes import EpisodeResult, LevelArea
from mario.evaluation.level_survey import HEIGHT, SCREEN_WIDTH, STATUS_ROWS, LevelSurvey
from mario.evaluation.summary import EvaluationSummary
from mario.games.endings import Ending
from mario.system.announce import counted
from mario.system.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_WIDTH = 7 * SCREEN_WIDTH
"""Maximum width of a row in pixels; a longer level continues in the next row."""
HISTOGRAM_HEIGHT, CAPTION_HEIGHT, GAP, MARGIN = 70, 110, 60, 60
MIN_WIDTH = 1400
"""Minimum width of the content in pixels, so that the caption fits."""
BIN_WIDTH = 32
CENTER_X, FEET_Y = 8, 24
"""Offsets in pixels from Mario's position in RAM to the center and the feet of small Mario."""
PIT_HEIGHT = 240
"""A final height from this value to 255 means that Mario fell into a pit, because the height wraps
around to its maximum below the screen."""


class DeathMarker(NamedTuple):
    """How the map shows one kind of unsuccessful episode.

    Attributes:
        label: text of the legend.
        endings: the endings that it covers.
        color: color of the marks and bars.
        symbol: matplotlib marker.
    """

    label: str
    endings: tuple[Ending, ...]
    color: str
    symbol: str

    def select(self, results: Sequence[EpisodeResult]) -> list[EpisodeResult]:
        """Return the episodes whose ending is one of `endings`."""
        return [result for result in results if result.ending in self.endings]


MARKERS = (
    DeathMarker("died", (Ending.DEATH, Ending.GAME_OVER), "#e3001b", "o"),
    DeathMarker("stuck, or out of time", (Ending.TIME, Ending.TRUNCATED), "#ffb000", "s"),
)


def draw_map(
    path: Path,
    summary: EvaluationSummary,
    results: Sequence[EpisodeResult],
    surveys: Mapping[LevelArea, LevelSurvey],
) -> None:
    """Write the map as a PNG file.

    Each row shows an image of a level above a histogram of the unsuccessful episodes.

    Args:
        path: the file.
        summary: statistics of the evaluation.
        results: episodes of the evaluation.
        surveys: image of each area.

    Raises:
        OSError: the file cannot be written.
    """
    # Do not use pyplot, because its global state is not thread-safe.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = list(_rows(surveys))
    width = 2 * MARGIN + max(MIN_WIDTH, *(right - left for _, left, right in rows))
    row_height = HEIGHT + HISTOGRAM_HEIGHT + GAP
    height = CAPTION_HEIGHT + len(rows) * row_height
    figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    max_count = _max_bin_count(results)
    for index, (area, left, right) in enumerate(rows):
        top = CAPTION_HEIGHT + index * row_height
        area_results = [result for result in results if result.level_area == area]
        image_axes = _add_axes(figure, top, right - left, HEIGHT)
        image_axes.imshow(surveys[area].pixels[:, left:right], extent=(left, right, HEIGHT, 0))
        _draw_marks(image_axes, area_results, left, right)
        axes = _add_axes(figure, top + HEIGHT, right - left, HISTOGRAM_HEIGHT)
        _draw_histogram(axes, area_results, left, right, max_count)
    _draw_caption(figure, summary, results)
    write_atomically(path, lambda file: figure.savefig(file, format="png"))


def headline(summary: EvaluationSummary, results: Sequence[EpisodeResult]) -> str:
    """Return a sentence with the number of cleared episodes and the clear rate."""
    clears = sum(result.cleared for result in results)
    low, high = summary.clear_rate_ci95
    random_actions = f", {summary.epsilon:.1%} random actions" if summary.epsilon else ""
    return (
        f"{summary.game}: {clears} of {counted(summary.episodes, 'episode')} cleared, "
        f"{summary.clear_rate:.1%} (95 % interval {low:.1%} to {high:.1%}){random_actions}"
    )


def _rows(surveys: Mapping[LevelArea, LevelSurvey]) -> Iterator[tuple[LevelArea, int, int]]:
    """Yield an area, its first column and the column after its last one for each row of the map."""
    for area, survey in surveys.items():
        for left in range(survey.left, survey.right, ROW_WIDTH):
            yield area, left, min(left + ROW_WIDTH, survey.right)


def _add_axes(figure: Figure, top: int, width: int, height: int) -> Axes:
    """Add axes whose top edge and size are given in pixels."""
    figure_width, figure_height = figure.get_size_inches() * figure.dpi
    bottom = 1 - (top + height) / figure_height
    axes = figure.add_axes(
        (MARGIN / figure_width, bottom, width / figure_width, height / figure_height)
    )
    axes.set_xticks([])
    axes.set_yticks([])
    return axes


def _draw_marks(axes: Axes, results: Sequence[EpisodeResult], left: int, right: int) -> None:
    """Mark the position at which each unsuccessful episode ended."""
    for marker in MARKERS:
        positions = [
            (result.x_pos + CENTER_X, _image_row(result.y_pos))
            for result in marker.select(results)
            if result.x_pos is not None and result.y_pos is not None
        ]
        axes.scatter(
            [x for x, _ in positions], [y for _, y in positions], s=260, marker=marker.symbol,
            color=marker.color, alpha=0.5, edgecolors="white", linewidths=1.5,
        )  # fmt: skip
    axes.set_xlim(left, right)
    axes.set_ylim(HEIGHT, 0)


def _image_row(y_pos: int) -> int:
    """Return the image row of Mario's feet, or the last row if he fell into a pit."""
    row = 255 - y_pos + FEET_Y - STATUS_ROWS
    return HEIGHT - 1 if PIT_HEIGHT <= y_pos <= 255 else min(max(row, 0), HEIGHT - 1)


def _draw_histogram(
    axes: Axes, results: Sequence[EpisodeResult], left: int, right: int, max_count: int
) -> None:
    """Draw the number of unsuccessful episodes that ended at each position."""
    axes.hist(
        [_centers(marker.select(results)) for marker in MARKERS],
        bins=np.arange(left - left % BIN_WIDTH, right + BIN_WIDTH, BIN_WIDTH).tolist(),
        color=[marker.color for marker in MARKERS],
        stacked=True,
    )
    axes.set_xlim(left, right)
    axes.set_ylim(0, 1.1 * max_count)
    axes.set_xticks(range(-(-left // SCREEN_WIDTH) * SCREEN_WIDTH, right + 1, SCREEN_WIDTH))
    axes.set_yticks([0, max_count])
    axes.tick_params(labelsize=13)
    axes.spines[["top", "right"]].set_visible(False)


def _centers(results: Sequence[EpisodeResult]) -> list[int]:
    return [result.x_pos + CENTER_X for result in results if result.x_pos is not None]


def _max_bin_count(results: Sequence[EpisodeResult]) -> int:
    """Return the maximum number of unsuccessful episodes in one bin of any area, at least 1."""
    bins = Counter(
        (result.level_area, (result.x_pos + CENTER_X) // BIN_WIDTH)
        for result in results
        if not result.cleared and result.x_pos is not None
    )
    return max(bins.values(), default=1)


def _draw_caption(
    figure: Figure, summary: EvaluationSummary, results: Sequence[EpisodeResult]
) -> None:
    from matplotlib.lines import Line2D

    figure_width, figure_height = figure.get_size_inches() * figure.dpi
    figure.text(
        MARGIN / figure_width, 1 - 40 / figure_height, headline(summary, results),
        fontsize=18, fontweight="bold",
    )  # fmt: skip
    handles = [
        Line2D(
            [], [], linestyle="", marker=marker.symbol, markersize=13, color=marker.color,
            label=f"{len(marker.select(results))} {marker.label}",
        )
        for marker in MARKERS
    ]  # fmt: skip
    corner = (MARGIN - 10) / figure_width, 1 - 56 / figure_height
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=corner, ncols=2, frameon=False,
        fontsize=15, borderaxespad=0, borderpad=0,
    )  # fmt: skip
