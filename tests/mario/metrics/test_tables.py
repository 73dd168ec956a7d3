"""Warnings and evaluations as a run's folder keeps them."""

from __future__ import annotations

import csv
import io

import pytest

from mario.metrics.logger import MetricLogger


@pytest.fixture
def make(tmp_path):
    """Loggers of one folder; what they say goes to ``logger.lines``."""

    def make():
        lines = []
        logger = MetricLogger(tmp_path, 1, console=lines.append, tensorboard=False)
        logger.lines = lines
        return logger

    return make


def test_a_warning_is_said_and_kept(make, tmp_path):
    logger = make()
    logger.log_warning(12_000, 'no "progress", again')
    assert logger.lines == ['WARNING at decision 12,000: no "progress", again']
    (row,) = csv.DictReader(io.StringIO((tmp_path / "warnings.csv").read_text()))
    assert row == {"step": "12000", "warning": 'no "progress", again'}


def test_warnings_after_the_last_save_are_taken_back(make, tmp_path):
    first = make()
    first.log_warning(1, "kept")
    state = first.state_dict()
    first.log_warning(2, "lost")
    second = make()
    second.load_state_dict(state)
    second.log_warning(2, "again")
    assert (tmp_path / "warnings.csv").read_text().splitlines()[1:] == ["1,kept", "2,again"]


def test_a_run_without_warnings_has_no_file_of_them(make, tmp_path):
    first = make()
    make().load_state_dict(first.state_dict())
    assert not (tmp_path / "warnings.csv").exists()


FIGURES = {
    "steps_trained": 25_000, "episodes": 20, "clear_rate": 0.25, "mean_return": 1.5,
    "mean_x_pos": None, "deaths": [7],
}  # fmt: skip


def test_an_evaluation_is_kept_with_its_time(make, tmp_path):
    make().log_evaluation(FIGURES)
    (row,) = csv.DictReader(io.StringIO((tmp_path / "evaluations.csv").read_text()))
    assert 0 <= float(row.pop("seconds")) < 60
    assert row == {
        "steps_trained": "25000", "episodes": "20", "clear_rate": "0.25", "mean_return": "1.5",
        "mean_x_pos": "",
    }  # fmt: skip


def test_evaluations_after_the_last_save_are_taken_back(make, tmp_path):
    first = make()
    first.log_evaluation(FIGURES)
    state = first.state_dict()
    first.log_evaluation(FIGURES | {"steps_trained": 50_000})
    make().load_state_dict(state)
    rows = (tmp_path / "evaluations.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["25000"]
