"""Tests of the rows of ``metrics.csv``."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mario.metrics.episode_rows import TUTORIAL_METRICS, EpisodeRow, columns_of, read_rows
from mario.metrics.writers import CsvFile

finite = st.floats(allow_nan=False, allow_infinity=False)
natural = st.integers(0, 10**9)
words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]))

rows = st.builds(
    EpisodeRow,
    episode=natural,
    step=natural,
    env=natural,
    reward=finite,
    length=natural,
    metrics=st.builds(
        lambda *numbers: dict(zip(TUTORIAL_METRICS, numbers, strict=True)), finite, finite
    ),
    epsilon=finite,
    best_x=st.none() | finite,
    ending=words,
    seconds=finite,
    start_offset=natural,
)
ROW = EpisodeRow(1, 1, 0, 0.0, 10, {"loss": 0.5, "q": 2.0}, 0.1, None, "death", 1.0)


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Returns a function that returns the text of a ``metrics.csv`` with rows or raw lines."""
    path = tmp_path_factory.mktemp("rows") / "metrics.csv"

    def write(*lines, metrics=TUTORIAL_METRICS):
        file = CsvFile(path, columns_of(metrics))
        file.sync()
        for line in lines:
            if isinstance(line, str):
                file.append(line)
            else:
                file.append_row(line.cells())
        file.close()
        return path.read_text()

    return write


@given(written=st.lists(rows, max_size=5))
def test_rows_are_read_back_to_the_last_digit(write, written):
    assert read_rows(write(*written)) == (written, 0)


def test_a_metric_without_a_value_is_an_empty_cell(write):
    text = write(replace(ROW, metrics={"loss": math.nan, "q": 2.0}))
    assert ",10,,2.0," in text
    ((row,), damaged) = read_rows(text)
    assert math.isnan(row.metrics["loss"])
    assert (row.metrics["q"], damaged) == (2.0, 0)


@pytest.mark.parametrize("damaged", ["1,2", "1,2,0,not a number,10,0,0,1,,death,1,0", "\0\0\0"])
def test_damaged_rows_are_skipped_and_counted(write, damaged):
    assert read_rows(write(ROW, damaged, ROW)) == ([ROW, ROW], 1)


def test_a_row_has_a_column_for_each_metric_of_its_algorithm(write):
    metrics = {"value_loss": 0.25, "entropy": 1.5}
    row = EpisodeRow(1, 1, 0, 3.0, 10, metrics, 0.1, None, "death", 1.0)
    text = write(row, metrics=tuple(metrics))
    assert "length,value_loss,entropy,epsilon" in text
    assert read_rows(text, tuple(metrics)) == ([row], 0)
    assert read_rows(text) == ([], 1)
