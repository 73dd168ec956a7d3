"""Tests of when a run is saved and what is saved, and that a full disk does not stop training."""

from __future__ import annotations

import errno
from types import SimpleNamespace

import pytest
import torch
from tape import TapeAgent, spec

from mario.config.run_config import TrainConfig
from mario.errors import RunError
from mario.runs.checkpoint import load
from mario.runs.file_kind import CheckpointError
from mario.runs.run_folder import RunFolder
from mario.system.hardware import describe_hardware
from mario.training.checkpointer import MAX_FAILED_SAVES, Checkpointer, installed_versions


class Clock:
    """A clock that the test sets."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class FakeTrainer:
    steps, episodes, complete, stopping, resumable = 7, 2, False, False, True

    def state_dict(self):
        return {"steps": self.steps}


class PersistentPart:
    """A part of an agent that keeps data on disk."""

    def __init__(self, steps_left=10**9):
        self.steps_left, self.num_saved = steps_left, 0

    def mark_saved(self):
        self.num_saved += 1

    def steps_until_overwrite(self):
        return self.steps_left

    def describe_loss(self):
        return ""


class Setup:
    """A checkpointer and what it works with."""

    def __init__(self, folder):
        (folder / "config.yaml").touch()
        self.run, self.agent, self.clock = RunFolder.open(folder), TapeAgent(spec()), Clock()
        self.lines, self.trainer = [], FakeTrainer()
        config = TrainConfig(
            hyper=self.agent.Config(), agent="tape", save_seconds=60, save_every=100
        )
        self.checkpointer = Checkpointer(
            config, self.run, self.agent, emulator="none", elapsed=lambda: 3.5,
            report=self.lines.append, clock=self.clock,
        )  # fmt: skip
        self.checkpointer.trainer = self.trainer

    def load(self, name):
        return load(self.run.path / f"{name}.chkpt")

    def fill_disk(self, monkeypatch, method="save_last"):
        def full(checkpoint):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(self.run, method, full)


@pytest.fixture
def setup(tmp_path):
    setup = Setup(tmp_path)
    yield setup
    setup.run.close()


def results(**values):
    return SimpleNamespace(to_dict=lambda: values)


def test_the_first_save_comes_early_and_the_others_at_intervals(setup):
    assert not setup.checkpointer.due(5)
    setup.clock.now += 20
    assert setup.checkpointer.due(5)
    setup.checkpointer.save()
    setup.clock.now += 59
    assert not setup.checkpointer.due(5)
    setup.clock.now += 1
    assert setup.checkpointer.due(5)


def test_a_save_is_due_before_the_replay_overwrites_what_the_last_one_needs(setup):
    setup.agent.persistent_parts = lambda: [PersistentPart(steps_left=1)]
    assert setup.checkpointer.due(5)


@pytest.mark.parametrize(
    ("seconds", "complete", "stopping", "saved"),
    [
        (20, False, False, True),
        (19, False, False, False),
        (20, True, False, False),
        (20, False, True, False),
    ],
)
def test_a_step_saves_if_it_is_due_and_the_run_continues(setup, seconds, complete, stopping, saved):
    setup.trainer.complete, setup.trainer.stopping = complete, stopping
    setup.clock.now += seconds
    setup.checkpointer.on_step(None)
    assert (setup.run.path / "last.chkpt").exists() is saved


def test_last_has_the_state_for_resuming_and_numbered_checkpoints_only_the_agent(setup):
    setup.checkpointer.save()
    last, numbered = setup.load("last"), setup.load("mario_net_0")
    assert last["resume"] == {"steps": 7}
    assert "resume" not in numbered
    assert (numbered["steps"], numbered["episodes"], numbered["agent"]) == (7, 2, "tape")
    assert numbered["state_shape"] == [2, 4, 4]
    assert numbered["training"]["seconds"] == 3.5
    assert numbered["training"]["hardware"] == describe_hardware("cpu")
    assert numbered["versions"]["torch"] == installed_versions()["torch"]


def test_numbered_checkpoints_count_the_interval(setup):
    for setup.trainer.steps in (7, 60, 100, 150, 230):
        setup.checkpointer.save()
    names = sorted(path.name for path in setup.run.path.glob("mario_net_*"))
    assert names == ["mario_net_0.chkpt", "mario_net_1.chkpt", "mario_net_2.chkpt"]
    assert setup.load("mario_net_1")["steps"] == 100
    setup.clock.now += 1
    assert setup.checkpointer.due(300)
    assert not setup.checkpointer.due(299)


def test_a_resumed_run_writes_no_numbered_checkpoint_again(setup):
    setup.trainer.steps = 150
    setup.checkpointer.load_state_dict({"evaluation": None})
    setup.trainer.steps = 160
    setup.checkpointer.save()
    assert not list(setup.run.path.glob("mario_net_*"))


def test_checkpoints_contain_the_latest_evaluation_also_after_resuming(setup):
    setup.checkpointer.save()
    assert setup.load("last")["evaluation"] is None
    setup.checkpointer.on_evaluation(results(clear_rate=0.5), False)
    state = setup.checkpointer.state_dict()
    setup.checkpointer.on_evaluation(results(clear_rate=0.75), False)
    setup.checkpointer.save()
    assert setup.load("last")["evaluation"] == {"clear_rate": 0.75}
    setup.checkpointer.load_state_dict(state)
    setup.checkpointer.save()
    assert setup.load("last")["evaluation"] == {"clear_rate": 0.5}


def test_the_parts_of_the_agent_are_notified_of_each_save(setup):
    part = PersistentPart()
    setup.agent.persistent_parts = lambda: [part]
    setup.checkpointer.save()
    assert part.num_saved == 1


def test_a_full_disk_is_reported_and_the_save_is_tried_again(setup, monkeypatch):
    setup.checkpointer.save()
    part = PersistentPart()
    setup.agent.persistent_parts = lambda: [part]
    with monkeypatch.context() as patch:
        setup.fill_disk(patch)
        assert not setup.checkpointer.save()
    assert "could not save at step 7: No space left on device" in setup.lines[0]
    assert part.num_saved == 0
    assert setup.load("last")["steps"] == 7
    part.steps_left = 0
    assert not setup.checkpointer.due(8), "it must not try at every step"
    setup.clock.now += 10
    assert setup.checkpointer.due(8)


def test_a_replay_memory_that_cannot_be_flushed_does_not_stop_the_run(setup, monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device")

    setup.checkpointer.save()
    monkeypatch.setattr(setup.trainer, "state_dict", full)
    assert not setup.checkpointer.save()
    assert "could not save at step 7: No space left on device" in setup.lines[0]
    assert setup.load("last")["steps"] == 7


def test_a_run_stops_after_too_many_failed_saves_in_a_row(setup, monkeypatch):
    def fail(times):
        return [setup.checkpointer.save() for _ in range(times)]

    with monkeypatch.context() as patch:
        setup.fill_disk(patch)
        assert not any(fail(MAX_FAILED_SAVES - 1))
    assert setup.checkpointer.save(), "a save that succeeds starts the count again"
    setup.fill_disk(monkeypatch)
    assert not any(fail(MAX_FAILED_SAVES - 1))
    assert len(setup.lines) == 2 * (MAX_FAILED_SAVES - 1), "the user is told each time"
    with pytest.raises(RunError, match=r"this was the 60th failed save in a row; free disk space"):
        setup.checkpointer.save()
    assert setup.load("last")["steps"] == 7


def test_a_run_whose_end_cannot_be_saved_fails(setup, monkeypatch):
    setup.fill_disk(monkeypatch)
    with pytest.raises(RunError, match="free disk space and use resume"):
        setup.checkpointer.on_end(None)
    setup.checkpointer.on_end(RunError("the environments crashed"))


@pytest.mark.parametrize("error", [None, RunError("the environments crashed")])
def test_the_run_is_saved_at_its_end(setup, error):
    setup.checkpointer.on_end(error)
    assert setup.load("last")["steps"] == 7


def test_weights_that_are_not_finite_stop_the_run_and_keep_the_last_save(setup):
    setup.checkpointer.save()
    setup.agent.policy_state_dict = lambda: {"steps": torch.tensor([float("nan")])}
    with pytest.raises(RunError, match="weight steps is not finite"):
        setup.checkpointer.save()
    assert torch.isfinite(setup.load("last")["model"]["steps"]).all()


def test_the_best_agent_is_written_without_the_state_for_resuming(setup):
    setup.checkpointer.on_evaluation(results(clear_rate=0.5), False)
    assert not (setup.run.path / "best.chkpt").exists()
    setup.checkpointer.on_evaluation(results(clear_rate=1.0), True)
    best = setup.load("best")
    assert "resume" not in best
    assert best["evaluation"] == {"clear_rate": 1.0}
    with pytest.raises(CheckpointError, match="does not exist"):
        setup.load("last")


def test_a_best_agent_that_cannot_be_written_is_reported(setup, monkeypatch):
    setup.fill_disk(monkeypatch, "save_best")
    setup.checkpointer.on_evaluation(results(clear_rate=1.0), True)
    assert setup.lines == ["could not save the best agent: No space left on device"]
