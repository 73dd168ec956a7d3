"""Tests of the callbacks for metrics, figures, progress and evaluations."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from tape import TapeAgent, spec

from agents import DDQN, AgentSpec, DDQNConfig
from mario.errors import RunError
from mario.metrics.episode_rows import EpisodeRecord
from mario.training.standard_callbacks import (
    EvaluationCallback,
    FiguresCallback,
    MetricsCallback,
    ProgressCallback,
    TimeLimit,
)


class FakeTrainer:
    """Has the attributes that the callbacks use, and records reported evaluations."""

    steps, episodes, stopping = 7, 2, False
    agent = SimpleNamespace(exploration_rate=0.25)

    def __init__(self):
        self.reported = []

    def report_evaluation(self, evaluation, is_best):
        self.reported.append((evaluation, is_best))


class FakeEvaluator:
    """Returns a new result at each step, unless it is aborted or has evaluated at this step."""

    latest, complete, is_due, aborted = None, False, True, False

    def due(self, steps):
        return self.is_due

    def evaluate(self, agent, steps):
        result = f"results at {steps}"
        if self.aborted or result == self.latest:
            return False
        self.latest = result
        return True


@pytest.fixture
def evaluation():
    callback = EvaluationCallback(FakeEvaluator())
    callback.trainer = FakeTrainer()
    return callback, callback._evaluator, callback.trainer


def test_an_evaluation_is_made_when_it_is_due_and_reported(evaluation):
    callback, evaluator, trainer = evaluation
    evaluator.is_due = False
    callback.on_step(None)
    assert trainer.reported == []
    evaluator.is_due = True
    callback.on_step(None)
    assert trainer.reported == [("results at 7", True)]


def test_an_aborted_evaluation_is_not_reported(evaluation):
    callback, evaluator, trainer = evaluation
    evaluator.aborted = True
    callback.on_step(None)
    assert trainer.reported == []


def test_an_agent_is_not_evaluated_twice_at_the_same_step(evaluation):
    callback, _, trainer = evaluation
    callback.on_step(None)
    callback.on_end(None)
    assert trainer.reported == [("results at 7", True)]


@pytest.mark.parametrize(
    ("error", "stopping", "evaluated"),
    [(None, False, True), (None, True, False), (RunError("crashed"), False, False)],
)
def test_the_agent_is_evaluated_at_the_end_of_a_complete_run(
    evaluation, error, stopping, evaluated
):
    callback, _, trainer = evaluation
    trainer.stopping = stopping
    callback.on_end(error)
    assert bool(trainer.reported) is evaluated


def test_an_evaluator_that_reached_its_target_completes_the_run(evaluation):
    callback, evaluator, _ = evaluation
    assert not callback.complete
    evaluator.complete = True
    assert callback.complete


def test_metrics_are_logged_with_the_current_exploration_rate():
    logged = []
    logger = SimpleNamespace(
        log_episode=lambda *arguments: logged.append(arguments),
        log_update=lambda *arguments: logged.append(arguments),
    )
    callback = MetricsCallback(logger)
    callback.trainer = FakeTrainer()
    record = EpisodeRecord(1, 7, 0, 1.0, 7, None, "death")
    callback.on_update({"loss": 1.0})
    callback.on_episode(record)
    assert logged == [({"loss": 1.0},), (record, 0.25)]


def make_figures_callback(agent):
    """Return a callback, and the lists of its images and of its reports."""
    images, lines = [], []
    logger = SimpleNamespace(log_images=lambda draw, step: images.append((draw(), step)))
    callback = FiguresCallback(logger, lines.append)
    callback.trainer = SimpleNamespace(agent=agent, steps=7)
    return callback, images, lines


def observe(callback, states):
    callback.on_step(SimpleNamespace(transitions=SimpleNamespace(next_states=states)))


def test_figures_of_the_latest_observations_are_written_at_each_evaluation():
    agent = DDQN.build(AgentSpec((4, 84, 84), num_actions=2, training=False), DDQNConfig())
    callback, images, lines = make_figures_callback(agent)
    callback.on_evaluation(None, True)
    assert images == []
    for level in (0, 255):
        observe(callback, np.full((8, 4, 84, 84), level, np.uint8))
    callback.on_evaluation(None, False)
    ((figures, step),) = images
    assert step == 7
    assert list(figures) == ["figures/observations", "figures/filters", "figures/feature_maps"]
    assert figures["figures/observations"].max() == 1
    assert lines == []


def test_an_agent_without_a_convolutional_network_is_reported_once():
    callback, images, lines = make_figures_callback(TapeAgent(spec()))
    observe(callback, np.zeros((2, 2, 4, 4), np.uint8))
    for _ in range(2):
        callback.on_evaluation(None, False)
    assert [list(figures) for figures, _ in images] == [["figures/observations"]] * 2
    assert lines == [
        "TensorBoard gets no images of feature maps, because TapeAgent has no NatureCNN, "
        "the network whose feature maps are drawn"
    ]


def test_the_bar_continues_where_the_last_session_ended():
    calls = []
    bar = SimpleNamespace(
        update=lambda *numbers: calls.append(("update", *numbers)),
        start_at=lambda *numbers: calls.append(("start_at", *numbers)),
    )
    callback = ProgressCallback(bar)
    callback.trainer = FakeTrainer()
    callback.load_state_dict({})
    callback.on_step(None)
    assert calls == [("start_at", 7, 2), ("update", 7, 2)]


def test_a_time_limit_ends_the_run_after_its_minutes():
    seconds = [59.9]
    limit = TimeLimit(1.0, lambda: seconds[0])
    assert not limit.complete
    seconds[0] = 60.0
    assert limit.complete
    assert not TimeLimit(None, lambda: 1e9).complete
