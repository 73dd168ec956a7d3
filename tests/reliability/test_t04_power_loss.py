"""T4: what a save needs is on disk before anything refers to it: a power cut is harmless."""

from __future__ import annotations

import os
from pathlib import Path

from short_runs import config, train

from mario.training.checkpointer import Checkpointer

CALLS = ("fsync", "replace", "link")


def test_t04_a_save_syncs_every_file_before_its_rename_and_the_folder_after_it(
    tmp_path, monkeypatch
):
    calls, real = [], {name: getattr(os, name) for name in CALLS}
    real_save = Checkpointer.save

    def record(name):
        def call(*arguments):
            last = arguments[-1]
            path = Path(os.readlink(f"/proc/self/fd/{last}")) if name == "fsync" else Path(last)
            calls.append((name, path.name))
            return real[name](*arguments)

        return call

    def save(checkpointer):
        with monkeypatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, record(name))
            return real_save(checkpointer)

    run = train(config(tmp_path, steps=100))
    monkeypatch.setattr(Checkpointer, "save", save)
    train(config(tmp_path, steps=120), run)
    memory = [f"{name}.memmap" for name in ("frame", "stamp", "checksum", "action")]
    names = [name.replace(f"{os.getpid()}-", "") for _, name in calls]
    written = names.index(".tmp-last.chkpt")
    assert set(memory) <= set(names[:written]), "the checkpoint refers to the rows"
    assert names.index("metrics.csv") < written, "and to the lines of the metrics"
    assert [(call, name.replace(f"{os.getpid()}-", "")) for call, name in calls[written:]] == [
        ("fsync", ".tmp-last.chkpt"),
        ("link", ".tmp-previous.chkpt"),
        ("replace", "previous.chkpt"),
        ("fsync", run.name),
        ("replace", "last.chkpt"),
        ("fsync", run.name),
    ]
