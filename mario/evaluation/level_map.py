"""Draws a map of the levels an evaluation was played in, with where its episodes were lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mario.evaluation.episodes import EpisodeResult, Evaluation, LevelArea
from mario.evaluation.level_survey import HEIGHT, SCREEN, STATUS_ROWS, LevelSurvey
from mario.system.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 7 * SCREEN
"""Pixels of a level that are drawn side by side; what is longer goes on below."""
STRIP, CAPTION, GAP, MARGIN = 70, 110, 60, 60
NARROWEST = 1400
"""Pixels that the caption needs."""
BIN = 32
MIDDLE, FEET = 8, 24
"""Pixels from the corner that Mario's place is told of to the middle of small Mario."""
FALLEN = 240
"""So high ends nobody but who fell down a hole: heights begin again at the top."""


class DeathMarker(NamedTuple):
    """A way to lose an episode.

    Attributes:
        label: what people call it.
        endings: the `ending` it stands for.
        colour: of its marks and bars.
        marker: matplotlib's name of the mark's shape.
    """

    label: str
    endings: tuple[str, ...]
    colour: str
    marker: str


LOSSES = (
    DeathMarker("died", ("death", "game over"), "#e3001b", "o"),
    DeathMarker("stuck, or out of time", ("time", "truncated"), "#ffb000", "s"),
)


def draw_map(
    path: Path,
    figures: Evaluation,
    played: Sequence[EpisodeResult],
    surveys: Mapping[LevelArea, LevelSurvey],
) -> None:
    """Write the map as a PNG: rows of pictures, a strip below each with how many were lost where.

    Args:
        path: where to.
        figures: of the evaluation.
        played: its episodes.
        surveys: what the stretches look like.

    Raises:
        OSError: it cannot be written.
    """
    # Figure and canvas by hand: pyplot's global state is not for threads.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = list(_rows(surveys))
    width = 2 * MARGIN + max(NARROWEST, *(right - left for _, left, right in rows))
    height = CAPTION + len(rows) * (HEIGHT + STRIP + GAP)
    figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    most = max(_most_in_a_bin(played), 1)
    for number, (stretch, left, right) in enumerate(rows):
        top = CAPTION + number * (HEIGHT + STRIP + GAP)
        here = [each for each in played if each.stretch == stretch]
        picture = _add_axes(figure, top, right - left, HEIGHT)
        picture.imshow(surveys[stretch].pixels[:, left:right], extent=(left, right, HEIGHT, 0))
        _mark(picture, here, left, right)
        _count(_add_axes(figure, top + HEIGHT, right - left, STRIP), here, left, right, most)
    _caption(figure, figures, played)
    write_atomically(path, lambda file: figure.savefig(file, format="png"))


def _rows(surveys: Mapping[LevelArea, LevelSurvey]) -> Iterator[tuple[LevelArea, int, int]]:
    """The stretches, cut to rows: each with the columns it goes from and to."""
    for stretch, seen in surveys.items():
        for left in range(seen.left, seen.right, ROW):
            yield stretch, left, min(left + ROW, seen.right)


def _add_axes(figure: Figure, top: int, width: int, height: int) -> Axes:
    """Axes at a place given in pixels from the top."""
    whole_width, whole_height = figure.get_size_inches() * figure.dpi
    axes = figure.add_axes(
        (
            MARGIN / whole_width,
            1 - (top + height) / whole_height,
            width / whole_width,
            height / whole_height,
        )
    )
    axes.set_xticks([])
    axes.set_yticks([])
    return axes


def _mark(axes: Axes, played: Sequence[EpisodeResult], left: int, right: int) -> None:
    for loss in LOSSES:
        places = [
            (each.x_pos + MIDDLE, _row_of(each.y_pos))
            for each in played
            if each.ending in loss.endings and each.x_pos is not None and each.y_pos is not None
        ]
        axes.scatter(
            [x for x, _ in places], [y for _, y in places], s=260, marker=loss.marker,
            color=loss.colour, alpha=0.5, edgecolors="white", linewidths=1.5,
        )  # fmt: skip
    axes.set_xlim(left, right)
    axes.set_ylim(HEIGHT, 0)


def _row_of(y_pos: int) -> int:
    """The row of the picture in which Mario ended; the last one for who fell."""
    row = 255 - y_pos + FEET - STATUS_ROWS
    return HEIGHT - 1 if FALLEN <= y_pos <= 255 else min(max(row, 0), HEIGHT - 1)


def _count(axes: Axes, played: Sequence[EpisodeResult], left: int, right: int, most: int) -> None:
    """Bars of how many episodes were lost where."""
    axes.hist(
        [_places(played, loss) for loss in LOSSES],
        bins=np.arange(left - left % BIN, right + BIN, BIN).tolist(),
        color=[loss.colour for loss in LOSSES],
        stacked=True,
    )
    axes.set_xlim(left, right)
    axes.set_ylim(0, 1.1 * most)
    axes.set_xticks(range(-(-left // SCREEN) * SCREEN, right + 1, SCREEN))
    axes.set_yticks([0, most])
    axes.tick_params(labelsize=13)
    axes.spines[["top", "right"]].set_visible(False)


def _places(played: Sequence[EpisodeResult], loss: DeathMarker) -> list[int]:
    return [
        each.x_pos + MIDDLE
        for each in played
        if each.ending in loss.endings and each.x_pos is not None
    ]


def _most_in_a_bin(played: Sequence[EpisodeResult]) -> int:
    counts: dict[tuple[LevelArea | None, int], int] = {}
    for each in played:
        if each.ending != "flag" and each.x_pos is not None:
            place = each.stretch, (each.x_pos + MIDDLE) // BIN
            counts[place] = counts.get(place, 0) + 1
    return max(counts.values(), default=0)


def headline(figures: Evaluation, played: Sequence[EpisodeResult]) -> str:
    """How many episodes were cleared, in words."""
    clears = sum(each.ending == "flag" for each in played)
    low, high = figures.clear_rate_ci95
    random = f", {figures.epsilon:.1%} of decisions random" if figures.epsilon else ""
    return (
        f"{figures.game}: {clears} of {figures.episodes} episodes cleared, "
        f"{figures.clear_rate:.1%} (95 % interval {low:.1%} to {high:.1%}){random}"
    )


def _caption(figure: Figure, figures: Evaluation, played: Sequence[EpisodeResult]) -> None:
    from matplotlib.lines import Line2D

    _, height = figure.get_size_inches() * figure.dpi
    whole_width = figure.get_size_inches()[0] * figure.dpi
    figure.text(
        MARGIN / whole_width, 1 - 40 / height,
        headline(figures, played),
        fontsize=18, fontweight="bold",
    )  # fmt: skip
    handles = [
        Line2D(
            [], [], linestyle="", marker=loss.marker, markersize=13, color=loss.colour,
            label=f"{sum(each.ending in loss.endings for each in played)} {loss.label}",
        )
        for loss in LOSSES
    ]  # fmt: skip
    corner = (MARGIN - 10) / whole_width, 1 - 56 / height
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=corner, ncols=2, frameon=False,
        fontsize=15, borderaxespad=0, borderpad=0,
    )  # fmt: skip
