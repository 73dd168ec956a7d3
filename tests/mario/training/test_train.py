"""A whole run in one call, on the real game."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace

import pytest

from mario.errors import UsageError
from mario.runs.checkpoint import load
from mario.runs.train_config import saved_config, train_config
from mario.training.callbacks import Callback
from mario.training.train import train


def config(folder, **changes):
    settings = {
        "preset": "tutorial", "steps": 20, "save_dir": folder, "tensorboard": False,
        "hyper": {"replay_capacity": 300, "burnin": 10}, "evaluation": {"episodes": 0},
    }  # fmt: skip
    return train_config(**settings | changes)


class SendSignal(Callback):
    """Sends a signal to this process after some steps."""

    def __init__(self, steps):
        self.at = steps

    def on_step(self, step):
        if self.trainer.steps == self.at:
            os.kill(os.getpid(), signal.SIGINT)


def test_the_result_says_what_the_run_has_reached(tmp_path):
    result = train(config(tmp_path))
    assert (result.steps, result.complete) == (20, True)
    assert result.folder.parent == tmp_path
    assert result.checkpoint == result.folder / "last.chkpt"


def test_with_evaluations_the_checkpoint_is_the_best_agent(tmp_path):
    result = train(config(tmp_path, evaluation={"episodes": 1}))
    assert result.checkpoint == result.folder / "best.chkpt"


def test_a_run_can_be_resumed_with_other_totals(tmp_path):
    folder = train(config(tmp_path)).folder
    result = train(replace(saved_config(folder), steps=30), resume=folder)
    assert (result.folder, result.steps) == (folder, 30)
    with pytest.raises(UsageError, match="has game .*, which cannot become Tetris-v0"):
        train(replace(saved_config(folder), game="Tetris-v0"), resume=folder)


def test_an_interrupt_saves_the_run_and_returns(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    result = train(config(tmp_path), callbacks=[SendSignal(7)])
    assert (result.steps, result.complete) == (7, False)
    assert load(result.folder / "last.chkpt")["steps"] == 7
    assert signal.getsignal(signal.SIGINT) is before


def test_it_runs_outside_of_the_main_thread(tmp_path):
    results = []
    thread = threading.Thread(target=lambda: results.append(train(config(tmp_path))))
    thread.start()
    thread.join()
    assert results[0].complete


def test_the_caller_can_stop_it(tmp_path):
    steps = []
    result = train(config(tmp_path), stop=lambda: len(steps) >= 3 or steps.append(1))
    assert not result.complete
    assert 0 < result.steps < 20


@pytest.mark.parametrize("callback", [print, Callback])
def test_a_callback_that_is_not_an_object_of_the_class_is_refused(tmp_path, callback):
    with pytest.raises(UsageError, match="object of a subclass of mario.Callback, got <"):
        train(config(tmp_path), callbacks=[callback])
    assert not list(tmp_path.iterdir())
