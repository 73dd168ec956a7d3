"""Tests of the rows of ``log``."""

from __future__ import annotations

import re

from mario.metrics.log_format import log_header, log_row

TUTORIAL_HEADER = (
    " Episode    Step   Epsilon     MeanReward     MeanLength       MeanLoss     MeanQValue"
    "      TimeDelta                Time"
)


def row(step: int = 163, **metrics: float) -> str:
    return log_row(0, step, 0.99996, {"reward": 635.0, "length": 163.0} | metrics, 1.897)


def test_the_log_has_the_columns_and_widths_of_the_tutorial():
    assert log_header(("loss", "q")) == TUTORIAL_HEADER
    assert re.fullmatch(
        "       0     163     1.000        635.000        163.000          0.000          0.000"
        r"          1.897 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
        row(loss=0.0, q=0.0),
    )


def test_the_columns_stay_apart_in_long_runs():
    assert row(step=12_345_678).split()[:2] == ["0", "12345678"]


def test_other_metrics_have_columns_as_wide_as_their_names():
    header, line = log_header(["explained_variance", "q"]), row(explained_variance=0.25, q=1.0)
    cells = dict(zip(header.split(), line.split(), strict=True))
    assert (cells["MeanExplainedVariance"], cells["MeanQValue"]) == ("0.250", "1.000")
    assert len(header) == len(line)
