"""When a run is saved, what is written, and that a full disk does not stop training."""

from __future__ import annotations

import errno

import pytest
import torch
from tape import TapeAgent, spec

from mario.config.run_config import TrainConfig
from mario.errors import RunError
from mario.runs.checkpoint import CheckpointError, load
from mario.runs.run_folder import RunFolder
from mario.system.hardware import describe_hardware
from mario.training.checkpointer import Checkpointer, installed_versions


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Trainer:
    steps, episodes, evaluation, seconds = 7, 2, None, 3.5

    def state_dict(self):
        return {"steps": self.steps}


class Persistent:
    """A part of an agent that keeps data on disk."""

    def __init__(self, steps_left=10**9):
        self.steps_left, self.num_saved = steps_left, 0

    def mark_saved(self):
        self.num_saved += 1

    def steps_until_overwrite(self):
        return self.steps_left


@pytest.fixture
def made(tmp_path):
    (tmp_path / "config.yaml").touch()
    run, agent, clock, lines = RunFolder.open(tmp_path), TapeAgent(spec()), Clock(), []
    config = TrainConfig(hyper=agent.Config(), agent="tape", save_seconds=60, save_every=100)
    checkpointer = Checkpointer(
        config, run, agent, emulator="none", report=lines.append, clock=clock
    )
    yield checkpointer, run, agent, clock, lines
    run.close()


def test_the_first_save_comes_early_then_by_interval(made):
    checkpointer, _, _, clock, _ = made
    assert not checkpointer.due(5)
    clock.now += 20
    assert checkpointer.due(5)
    checkpointer.save(Trainer())
    clock.now += 59
    assert not checkpointer.due(5)
    clock.now += 1
    assert checkpointer.due(5)


def test_a_save_is_due_when_the_memory_runs_out_of_room(made):
    checkpointer, _, agent, _, _ = made
    agent.persistent_parts = lambda: [Persistent(steps_left=1)]
    assert checkpointer.due(5)


def test_last_has_what_resuming_needs_and_numbered_ones_only_the_agent(made):
    checkpointer, run, _, _, _ = made
    checkpointer.save(Trainer())
    last, numbered = load(run.path / "last.chkpt"), load(run.path / "mario_net_0.chkpt")
    assert last["resume"] == {"steps": 7}
    assert "resume" not in numbered
    assert (numbered["steps"], numbered["episodes"], numbered["agent"]) == (7, 2, "tape")
    assert numbered["state_shape"] == [2, 4, 4]
    assert numbered["training"]["seconds"] == 3.5
    assert numbered["training"]["hardware"] == describe_hardware("cpu")
    assert numbered["versions"]["torch"] == installed_versions()["torch"]


def test_numbered_checkpoints_count_the_interval(made):
    checkpointer, run, _, clock, _ = made
    trainer = Trainer()
    for trainer.steps in (7, 60, 100, 150, 230):
        checkpointer.save(trainer)
    names = sorted(path.name for path in run.path.glob("mario_net_*"))
    assert names == ["mario_net_0.chkpt", "mario_net_1.chkpt", "mario_net_2.chkpt"]
    assert load(run.path / "mario_net_1.chkpt")["steps"] == 100
    clock.now += 1
    assert checkpointer.due(300)
    assert not checkpointer.due(299)


def test_a_resumed_run_does_not_number_again_what_it_has(made):
    checkpointer, run, _, _, _ = made
    checkpointer.resumed({"steps": 150})
    trainer = Trainer()
    trainer.steps = 160
    checkpointer.save(trainer)
    assert not list(run.path.glob("mario_net_*"))


def test_the_agent_is_told_once_its_state_is_safe(made):
    checkpointer, _, agent, _, _ = made
    part = Persistent()
    agent.persistent_parts = lambda: [part]
    checkpointer.save(Trainer())
    assert part.num_saved == 1


def test_a_full_disk_is_told_and_tried_again(made, monkeypatch):
    checkpointer, run, agent, clock, lines = made
    checkpointer.save(Trainer())
    part = Persistent()
    agent.persistent_parts = lambda: [part]

    def full(checkpoint):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(run, "save_last", full)
        checkpointer.save(Trainer())
    assert "could not save at decision 7: No space left on device" in lines[0]
    assert part.num_saved == 0
    assert load(run.path / "last.chkpt")["steps"] == 7
    agent.persistent_parts = lambda: [Persistent(steps_left=0)]
    assert not checkpointer.due(8), "it must not try at every step"
    clock.now += 10
    assert checkpointer.due(8)


def test_weights_that_are_not_finite_stop_the_run_and_leave_the_last_good_one(made):
    checkpointer, run, agent, _, _ = made
    checkpointer.save(Trainer())
    agent.policy_state_dict = lambda: {"steps": torch.tensor([float("nan")])}
    with pytest.raises(RunError, match="weight steps is not finite"):
        checkpointer.save(Trainer())
    assert torch.isfinite(load(run.path / "last.chkpt")["model"]["steps"]).all()


def test_the_best_is_written_beside_the_last(made):
    checkpointer, run, _, _, _ = made
    checkpointer.save_best(Trainer())
    assert "resume" not in load(run.path / "best.chkpt")
    with pytest.raises(CheckpointError, match="does not exist"):
        load(run.path / "last.chkpt")
