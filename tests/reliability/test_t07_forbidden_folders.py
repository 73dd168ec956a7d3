"""T7: folders that cannot be written, or that vanish during a run."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from short_runs import config

import mario.system.files
from mario.errors import RunError
from mario.runs.checkpoint import load
from mario.training.callbacks import Callback
from mario.training.session import Session


class AtStep(Callback):
    """Calls functions after some numbers of steps."""

    def __init__(self, functions):
        self.functions = functions

    def on_step(self, step):
        if function := self.functions.pop(self.trainer.steps, None):
            function()


def train_with(folder, functions, **changes):
    callbacks = [AtStep(functions)]
    settings = config(folder, save_seconds=0.001, **changes)
    with Session(settings, None, stop=lambda: False, callbacks=callbacks) as session:
        session.train()
        return session.run.path


def test_t07_a_folder_that_becomes_read_only_does_not_stop_a_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("mario.training.checkpointer.RETRY_SECONDS", 0.0)
    real, forbidden = open, []

    def guarded(path, mode="r", *arguments, **more):
        if forbidden and "r" not in mode and Path(str(path)).parent.name != "memory":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, mode, *arguments, **more)

    # the superuser may write in a read-only folder, so its permissions cannot be used
    monkeypatch.setattr(mario.system.files, "open", guarded, raising=False)
    functions = {40: lambda: forbidden.append(1), 80: forbidden.clear}
    run = train_with(tmp_path, functions)
    output = capsys.readouterr().out
    assert "could not save at step 42: Permission denied; the previous save is intact" in output
    assert load(run / "last.chkpt")["steps"] == 120


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_t07_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(Exception, match=f"cannot make {tmp_path}.*choose another --save-dir"):
        train_with(tmp_path, {})


def test_t07_a_run_whose_folder_vanishes_stops_with_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("mario.training.checkpointer.RETRY_SECONDS", 0.0)
    with pytest.raises(RunError, match=r"the end of the run is not saved; .* use resume") as error:
        train_with(tmp_path, {60: lambda: shutil.rmtree(next(tmp_path.iterdir()))})
    assert "\n" not in str(error.value)
    assert "could not save at step 62: No such file or directory" in capsys.readouterr().out
