"""Tests of the metric logger."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clock import Clock

from mario.metrics import logger as metrics
from mario.metrics.episode_rows import EpisodeRecord
from mario.metrics.logger import MetricLogger


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> Clock:
    clock = Clock(1000.0)
    monkeypatch.setattr(metrics, "time", clock)
    return clock


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., MetricLogger]:
    """Makes loggers of one folder; console lines go to ``logger.lines``."""

    def make(num_envs: int = 1, **settings: Any) -> MetricLogger:
        lines: list[str] = []
        settings = {"console": lines.append, "tensorboard": False, **settings}
        logger = MetricLogger(tmp_path, num_envs, **settings)
        logger.lines = lines  # type: ignore[attr-defined]
        return logger

    return make


def episode(number: int = 1, **changes: Any) -> EpisodeRecord:
    record = EpisodeRecord(
        number, step=200 * number, env=0, reward=635.0, length=200, best_x=800.0, ending="death"
    )
    return replace(record, **changes)


def rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "metrics.csv").read_text())))


def test_the_log_gets_a_row_every_20_episodes_and_at_the_end(make, tmp_path):
    logger = make(every_episodes=20)
    for number in range(1, 41):
        logger.log_episode(episode(number))
    logger.close()
    logged = [line.split()[0] for line in (tmp_path / "log").read_text().splitlines()[1:]]
    assert logged == ["0", "20", "39"]


def test_the_last_episode_is_logged_once(make, tmp_path):
    logger = make()
    logger.log_episode(episode())
    logger.close()
    assert len((tmp_path / "log").read_text().splitlines()) == 2


def test_every_episode_gets_a_csv_row_immediately(make, tmp_path, clock):
    logger = make(num_envs=4)
    clock.now += 2.5
    logger.log_episode(
        episode(env=3, reward=np.float32(0.1), best_x=None, ending="pit", start_offset=40), 0.25
    )
    assert rows(tmp_path) == [
        {
            "episode": "1", "step": "200", "env": "3", "reward": repr(float(np.float32(0.1))),
            "length": "200", "loss": "", "q": "", "epsilon": "0.25", "best_x": "",
            "ending": "pit", "seconds": "2.5", "start_offset": "40",
        }
    ]  # fmt: skip


def test_loss_and_q_are_means_over_the_learning_rounds_of_the_episode(make, tmp_path):
    logger = make(num_envs=2)
    logger.log_update({"loss": 1.0, "q": 10.0})
    logger.log_episode(episode(1, env=0))
    logger.log_update({"loss": 3.0, "q": 20.0})
    logger.log_episode(episode(2, env=1))
    logger.log_episode(episode(3, env=0))
    logger.log_episode(episode(4, env=0))
    means = [(float(row["loss"]), float(row["q"])) for row in rows(tmp_path)]
    assert means == [(1.0, 10.0), (2.0, 15.0), (3.0, 20.0), (3.0, 20.0)]


def test_metrics_of_another_algorithm_appear_under_their_names(make, tmp_path):
    logger = make(metrics=("value_loss", "explained_variance"), every_episodes=1)
    logger.log_update({"value_loss": 0.5, "explained_variance": 0.25, "grad_norm": 9.0})
    logger.log_episode(episode())
    logger.close()
    assert rows(tmp_path)[0]["explained_variance"] == "0.25"
    assert "MeanValueLoss" in (tmp_path / "log").read_text()
    assert "value loss 0.5 | explained variance 0.25" in logger.lines[-1]
    assert {path.name for path in tmp_path.glob("*.jpg")} == {
        "reward_plot.jpg", "length_plot.jpg", "value_loss_plot.jpg", "explained_variance_plot.jpg",
    }  # fmt: skip


def test_the_console_line_shows_speed_clear_rate_and_best_x(make, clock):
    logger = make(every_episodes=1)
    logger.log_episode(episode(1, step=100, best_x=3161.0, ending="flag"))
    clock.now += 2.0
    logger.log_episode(episode(2, step=2100), epsilon=0.5)
    assert logger.lines[-1] == (
        "2 episodes | 2,100 steps | 1,000 steps/s | epsilon 0.500 | reward 635.0 | length 200 "
        "| cleared 50% | best x 3,161"
    )


def test_the_console_line_shows_training_metrics_from_the_first_update_on(make):
    logger = make(every_episodes=1)
    logger.log_episode(episode(1, step=1))
    assert logger.lines[-1].startswith("1 episode | 1 step | ")
    assert "loss" not in logger.lines[-1]
    logger.log_update({"loss": 0.5})
    logger.log_episode(episode(2, step=9))
    assert "| loss " in logger.lines[-1]
    assert "| q" not in logger.lines[-1]


def test_an_agent_without_epsilon_prints_none(make):
    logger = make()
    logger.log_episode(episode(), epsilon=0.0)
    assert "epsilon" not in logger.lines[-1]


def test_a_game_without_levels_has_no_clear_rate_on_the_console(make):
    logger = make()
    logger.log_episode(episode(best_x=None))
    assert "cleared" not in logger.lines[-1]
    assert "best x" not in logger.lines[-1]


def test_tensorboard_scalars_have_the_tags_of_stable_baselines(make, tmp_path, clock):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = make(tensorboard=True)
    for loss in (1.0, 2.0):
        logger.log_update({"loss": loss, "q": 4.0, "entropy": 0.5})
    clock.now += 4.0
    logger.log_episode(episode(ending="flag"), epsilon=0.25)
    logger.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    scalars = {tag: events.Scalars(tag)[0] for tag in events.Tags()["scalars"]}
    assert {tag: event.value for tag, event in scalars.items()} == {
        "rollout/ep_rew_mean": 635.0,
        "rollout/ep_len_mean": 200.0,
        "rollout/exploration_rate": 0.25,
        "rollout/clear_rate": 1.0,
        "rollout/best_x": 800.0,
        "time/fps": 50.0,
        "train/loss": 1.5,
        "train/q": 4.0,
        "train/entropy": 0.5,
        "ending/flag": 1.0,
    }
    assert {event.step for event in scalars.values()} == {200}


def test_images_are_written_to_tensorboard(make, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = make(tensorboard=True)
    logger.log_images(lambda: {"figures/filters": np.full((3, 20, 30), 0.5, np.float32)}, 40)
    logger.close()
    (event,) = EventAccumulator(str(tmp_path)).Reload().Images("figures/filters")
    assert (event.step, event.height, event.width) == (40, 20, 30)


def test_an_error_in_drawing_images_is_reported_and_does_not_stop_training(make):
    logger = make(tensorboard=True)
    for step in (1, 2):
        logger.log_images(lambda: 1 // 0, step)
    assert logger.lines == [
        "cannot write images to TensorBoard: integer division or modulo by zero; "
        "training continues without it"
    ]


def test_closing_draws_the_plots(make, tmp_path):
    logger = make()
    logger.log_episode(episode())
    logger.close()
    assert len(list(tmp_path.glob("*_plot.jpg"))) == 4


def test_a_logger_without_episodes_does_not_touch_existing_files(make, tmp_path):
    (tmp_path / "log").write_text("precious")
    make().close()
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("log", "precious")]


def test_a_failed_write_is_reported_once_and_does_not_stop_training(make, tmp_path):
    (tmp_path / "metrics.csv").mkdir()
    logger = make()
    for number in (1, 2, 3):
        logger.log_episode(episode(number))
    (line,) = (line for line in logger.lines if "metrics.csv" in line)
    assert re.search("cannot write metrics.csv: .*training continues without it", line)


def test_a_run_whose_files_lack_rows_continues_and_reports_it(make, tmp_path):
    first = make()
    for number in (1, 2, 3):
        first.log_episode(episode(number))
    state = first.state_dict()
    os.truncate(tmp_path / "metrics.csv", state["file_sizes"]["metrics.csv"] - 5)
    (tmp_path / "log").unlink()
    second = make()
    second.load_state_dict(state)
    (line,) = second.lines
    assert re.fullmatch(
        r"metrics.csv lacks \d+ bytes; log lacks \d+ bytes; the run continues without them", line
    )
    second.log_episode(episode(4))
    assert [row["episode"] for row in rows(tmp_path)] == ["1", "2", "4"]


def test_damaged_rows_do_not_stop_a_resumed_run(make, tmp_path):
    first = make()
    first.log_episode(episode())
    state = first.state_dict()
    path = tmp_path / "metrics.csv"
    path.write_text(path.read_text().replace("635.0", "63#.0"))
    second = make()
    second.load_state_dict(state)
    assert second.lines == [
        "metrics.csv is damaged: lines left out: 0; it was renamed to metrics.csv.damaged; "
        "metrics.csv has 1 damaged rows, which the means leave out; the run continues without them"
    ]


def test_a_new_session_without_a_saved_state_replaces_the_files(make, tmp_path):
    make().log_episode(episode(1, reward=1.0))
    make().log_episode(episode(1, reward=2.0))
    assert [row["reward"] for row in rows(tmp_path)] == ["2.0"]
