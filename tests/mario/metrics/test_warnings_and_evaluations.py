"""Tests of ``warnings.csv`` and ``evaluations.csv``, and of evaluations in TensorBoard."""

from __future__ import annotations

import csv
import io

import pytest

from mario.metrics.episode_rows import EpisodeRecord
from mario.metrics.logger import MetricLogger


@pytest.fixture
def make(tmp_path):
    """Makes loggers of one folder; console lines go to ``logger.lines``."""

    def make(tensorboard=False):
        lines = []
        logger = MetricLogger(tmp_path, 1, console=lines.append, tensorboard=tensorboard)
        logger.lines = lines
        return logger

    return make


def test_a_warning_is_printed_and_written(make, tmp_path):
    logger = make()
    logger.log_warning(12_000, 'no "progress", again')
    assert logger.lines == ['WARNING at step 12,000: no "progress", again']
    (row,) = csv.DictReader(io.StringIO((tmp_path / "warnings.csv").read_text()))
    assert row == {"step": "12000", "warning": 'no "progress", again'}


def test_resuming_removes_warnings_after_the_last_save(make, tmp_path):
    first = make()
    first.log_warning(1, "kept")
    state = first.state_dict()
    first.log_warning(2, "lost")
    second = make()
    second.load_state_dict(state)
    second.log_warning(2, "again")
    assert (tmp_path / "warnings.csv").read_text().splitlines()[1:] == ["1,kept", "2,again"]


def test_a_run_without_warnings_has_no_warnings_file(make, tmp_path):
    first = make()
    make().load_state_dict(first.state_dict())
    assert not (tmp_path / "warnings.csv").exists()


RESULTS = {
    "steps_trained": 25_000, "episodes": 20, "clear_rate": 0.25, "mean_return": 1.5,
    "mean_x_pos": None, "deaths": [7],
}  # fmt: skip


def test_an_evaluation_is_written_with_its_time(make, tmp_path):
    make().log_evaluation(RESULTS)
    (row,) = csv.DictReader(io.StringIO((tmp_path / "evaluations.csv").read_text()))
    assert 0 <= float(row.pop("seconds")) < 60
    assert row == {
        "steps_trained": "25000", "episodes": "20", "clear_rate": "0.25", "mean_return": "1.5",
        "mean_x_pos": "",
    }  # fmt: skip


def test_resuming_removes_evaluations_after_the_last_save(make, tmp_path):
    first = make()
    first.log_evaluation(RESULTS)
    state = first.state_dict()
    first.log_evaluation(RESULTS | {"steps_trained": 50_000})
    make().load_state_dict(state)
    rows = (tmp_path / "evaluations.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["25000"]


def tensorboard_scalars(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
        if tag.startswith("evaluation/")
    }


def test_tensorboard_shows_the_results_of_evaluations(make, tmp_path):
    logger = make(tensorboard=True)
    logger.log_evaluation(RESULTS)
    logger.log_evaluation(RESULTS | {"steps_trained": 50_000, "clear_rate": 0.5, "mean_x_pos": 8})
    logger.close()
    assert tensorboard_scalars(tmp_path) == {
        "evaluation/clear_rate": [(25_000, 0.25), (50_000, 0.5)],
        "evaluation/mean_return": [(25_000, 1.5), (50_000, 1.5)],
        "evaluation/mean_x_pos": [(50_000, 8.0)],
    }


def test_resuming_keeps_earlier_evaluations_in_tensorboard(make, tmp_path):
    first = make(tensorboard=True)
    first.log_evaluation(RESULTS)
    first.log_episode(EpisodeRecord(1, 30_000, 0, 1.0, 1, None, "death"))
    first.log_evaluation(RESULTS | {"steps_trained": 50_000})
    state = first.state_dict()
    first.log_evaluation(RESULTS | {"steps_trained": 75_000, "clear_rate": 0.0})
    first.close()
    second = make(tensorboard=True)
    second.load_state_dict(state)
    second.log_evaluation(RESULTS | {"steps_trained": 75_000, "clear_rate": 1.0})
    second.close()
    assert tensorboard_scalars(tmp_path)["evaluation/clear_rate"] == [
        (25_000, 0.25), (50_000, 0.25), (75_000, 1.0),
    ]  # fmt: skip


def test_damaged_evaluations_do_not_stop_a_resumed_run(make, tmp_path):
    first = make(tensorboard=True)
    first.log_evaluation(RESULTS)
    state = first.state_dict()
    path = tmp_path / "evaluations.csv"
    path.write_text(path.read_text().replace("25000", "2#000"))
    second = make(tensorboard=True)
    second.load_state_dict(state)
    assert len(second.lines) == 1
