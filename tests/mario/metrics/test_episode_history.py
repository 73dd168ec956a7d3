"""What a run remembers of its episodes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mario.metrics.episode_history import (
    REPORTS,
    EpisodeHistory,
    EpisodeRow,
    RunningMeans,
    columns_of,
    csv_line,
    read_rows,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(0, 10**9)
words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]))

rows = st.builds(
    EpisodeRow,
    episode=whole,
    step=whole,
    game=whole,
    reward=finite,
    length=whole,
    reported_metrics=st.builds(
        lambda *numbers: dict(zip(REPORTS, numbers, strict=True)), finite, finite
    ),
    epsilon=finite,
    best_x=st.none() | finite,
    ending=words,
    seconds=finite,
    start_offset=whole,
)


def episode(
    number: int = 1, reward: float = 0.0, best_x: float | None = None, ending: str = "death"
) -> EpisodeRow:
    return EpisodeRow(
        number, number, 0, reward, 10, {"loss": 0.5, "q": 2.0}, 0.1, best_x, ending, 1.0
    )


def text_of(*lines: str) -> str:
    return "\n".join([csv_line(list(columns_of(REPORTS))), *lines, ""])


@given(st.lists(rows, max_size=5))
def test_rows_come_back_from_their_csv_to_the_last_digit(written):
    assert read_rows(text_of(*(row.to_csv() for row in written))) == (written, 0)


@pytest.mark.parametrize("damaged", ["1,2", "1,2,0,not a number,10,0,0,1,,death,1", "\0\0\0"])
def test_damaged_rows_are_left_out_and_counted(damaged):
    good = episode()
    assert read_rows(text_of(good.to_csv(), damaged, good.to_csv())) == ([good, good], 1)


def test_a_row_has_a_column_for_each_report_of_its_algorithm():
    reported_metrics = {"value_loss": 0.25, "entropy": 1.5}
    row = EpisodeRow(1, 1, 0, 3.0, 10, reported_metrics, 0.1, None, "death", 1.0)
    text = f"{csv_line(list(columns_of(list(reported_metrics))))}\n{row.to_csv()}\n"
    assert "length,value_loss,entropy,epsilon" in text
    assert read_rows(text, list(reported_metrics)) == ([row], 0)
    assert read_rows(text) == ([], 1)


def test_a_tally_gives_no_mean_where_nothing_was_counted():
    running_means = RunningMeans()
    running_means.add({"loss": 1.0})
    assert running_means.means_since(running_means.mark()) == {}


def test_a_tally_leaves_out_what_is_not_finite():
    running_means = RunningMeans()
    start = running_means.mark()
    for loss in (1.0, math.nan, math.inf, 3.0):
        running_means.add({"loss": loss})
    assert running_means.means_since(start) == {"loss": 2.0}


def test_a_mark_does_not_move_with_its_tally():
    running_means = RunningMeans()
    running_means.add({"loss": 1.0})
    mark = running_means.mark()
    running_means.add({"loss": 5.0})
    assert mark == {"loss": [1.0, 1]}


def test_a_tally_returns_to_a_mark():
    running_means = RunningMeans()
    running_means.add({"loss": 1.0})
    mark = running_means.mark()
    running_means.add({"loss": 5.0, "q": 1.0})
    running_means.return_to(mark)
    assert running_means.mark() == mark


def test_means_are_over_the_latest_episodes_only():
    history = EpisodeHistory(window=2)
    for reward in (100.0, 2.0, 4.0):
        history.add(episode(reward=reward))
    assert history.means() == {"reward": 3.0, "length": 10.0, "loss": 0.5, "q": 2.0}


def test_means_before_the_first_episode_are_zero():
    assert set(EpisodeHistory(window=2).means().values()) == {0.0}


def test_shares_are_of_the_latest_episodes_and_fall_to_zero():
    history = EpisodeHistory(window=2)
    for why in ("pit", "flag", "death"):
        history.add(episode(ending=why))
    assert history.ending() == {"death": 0.5, "flag": 0.5, "pit": 0.0}
    assert history.clear_rate == 0.5


def test_episodes_that_revisit_a_loss_do_not_count_as_clears():
    history = EpisodeHistory(window=4)
    for why, start_offset in (("death", 0), ("flag", 50), ("flag", 0), ("flag", 1)):
        history.add(replace(episode(ending=why), start_offset=start_offset))
    assert history.clear_rate == 0.5


def test_rows_of_older_runs_are_read():
    text = text_of(episode().to_csv()).replace(",start_offset", "").replace(",0\n", "\n")
    assert read_rows(text) == ([episode()], 0)


def test_the_best_x_is_the_best_ever():
    history = EpisodeHistory(window=1)
    assert history.best_x is None
    for best_x in (5.0, 40.0, None, 7.0):
        history.add(episode(best_x=best_x))
    assert history.best_x == 40.0
