"""Tests of the assembly of a run, on a real game."""

from __future__ import annotations

import csv
import io

import pytest
import torch

from agents import DDQNConfig
from mario.config.run_config import DiagnosticsConfig, EvaluationConfig, TrainConfig
from mario.config.serialization import to_dict
from mario.errors import UsageError
from mario.runs.checkpoint import load, save
from mario.runs.run_folder import RunFolder
from mario.training.callbacks import Callback
from mario.training.session import Session
from mario.training.standard_callbacks import make_progress_bar

DDQN = DDQNConfig(replay_capacity=300, burnin=10, exploration_start=0.0, exploration_min=0.0)


def config(folder, **changes):
    settings = {
        "hyper": DDQN, "steps": 20, "save_dir": folder, "tensorboard": False,
        "evaluation": EvaluationConfig(episodes=0),
    }  # fmt: skip
    return TrainConfig(**settings | changes)


def rows(path):
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_the_standard_callbacks_come_first_and_saving_comes_last(tmp_path):
    class Mine(Callback):
        name = "mine"

    with Session(config(tmp_path), None, stop=lambda: False, callbacks=[Mine()]) as session:
        session.train()
        state = load(session.run.path / "last.chkpt")["resume"]
    assert list(state["callbacks"]) == [
        "state check", "metrics", "diagnostics", "progress", "time limit", "evaluator", "mine",
        "checkpointer",
    ]  # fmt: skip


def test_warnings_of_the_diagnostics_are_logged(tmp_path, capfd):
    diagnostics = DiagnosticsConfig(check_every=10)
    with Session(config(tmp_path, diagnostics=diagnostics), None, stop=lambda: False) as session:
        session.trainer.agent.act = lambda states: states[:, 0, 0, 0].astype("int64") * 0
        session.train()
        path = session.run.path
    (row,) = rows(path / "warnings.csv")
    assert row["step"] == "10"
    assert row["warning"].startswith("action 0 is 100% of the non-random actions")
    assert "WARNING at step 10: action 0 is" in capfd.readouterr().out


def test_the_progress_bar_does_not_count_towards_episodes_that_will_not_be_played(tmp_path):
    evaluation = EvaluationConfig(target_clear_rate=0.95)
    bar = make_progress_bar(config(tmp_path, evaluation=evaluation, steps=None))
    assert (bar._total_episodes, bar._goal) == (None, "until 95% are cleared")
    bar = make_progress_bar(config(tmp_path, steps=None))
    assert (bar._total_episodes, bar._goal) == (40_000, None)


def test_an_evaluation_is_logged_and_saved_in_the_checkpoints(tmp_path):
    evaluation = EvaluationConfig(episodes=1, every=1000)
    with Session(config(tmp_path, evaluation=evaluation), None, stop=lambda: False) as session:
        session.train()
        path = session.run.path
    (row,) = rows(path / "evaluations.csv")
    for name in ("last", "best"):
        saved = load(path / f"{name}.chkpt")["evaluation"]
        assert (saved["steps_trained"], saved["episodes"]) == (20, 1)
        assert float(row["mean_return"]) == saved["mean_return"]


def test_a_session_that_cannot_start_leaves_no_run_folder(tmp_path):
    hyper = DDQNConfig(replay_capacity=10**15)
    with pytest.raises(OSError, match="replay memory needs"):
        Session(config(tmp_path, hyper=hyper), None, stop=lambda: False)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_another_state_is_refused(tmp_path):
    with Session(config(tmp_path), None, stop=lambda: False) as session:
        session.train()
        path = session.run.path
    last = load(path / "last.chkpt")
    del last["resume"]["agent"]["network"]
    save(path / "last.chkpt", last)
    with pytest.raises(UsageError, match=f"{path} cannot be resumed: "):
        Session(config(tmp_path), path, stop=lambda: False)


def test_other_hyperparameters_than_those_of_the_save_are_refused(tmp_path):
    with Session(config(tmp_path), None, stop=lambda: False) as session:
        session.train()
        path = session.run.path
    other = DDQNConfig(replay_capacity=300, burnin=10, hidden_size=64)
    with pytest.raises(UsageError, match="config.yaml has hyper .*, but the run was saved with"):
        Session(config(tmp_path, hyper=other), path, stop=lambda: False)


def test_a_run_that_was_not_saved_yet_still_begins_with_the_given_weights(tmp_path):
    with Session(config(tmp_path), None, stop=lambda: False) as session:
        session.train()
        trained = session.run.path / "last.chkpt"
    run = tmp_path / "new"
    run.mkdir()
    settings = config(tmp_path, warm_start=trained)
    RunFolder.prepare(run, to_dict(settings))
    with Session(settings, run, stop=lambda: False) as session:
        weights = session.trainer.agent.policy_state_dict()
        assert session.trainer.steps == 0
    expected = load(trained)["model"]
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_a_run_ends_after_its_minutes(tmp_path):
    limited = config(tmp_path, steps=None, minutes=0.001)
    with Session(limited, None, stop=lambda: False) as session:
        session.train()
        assert session.trainer.complete
        assert 0 < session.trainer.steps < 10_000
    assert make_progress_bar(limited)._goal == "for 0.001 minutes"
