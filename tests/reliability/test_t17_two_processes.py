"""T17: a run belongs to one process; the lock of a dead one is released."""

from __future__ import annotations

import subprocess
import sys

import pytest
from short_runs import config, train

from mario.commands.train import main
from mario.runs.run_folder import RunFolder


def test_t17_a_second_process_is_refused_in_one_line_and_changes_nothing(tmp_path, capsys):
    path = train(config(tmp_path, steps=40))
    run = RunFolder.open(path)
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    capsys.readouterr()
    with pytest.raises(SystemExit) as exit_:
        main(["--resume", str(path), "--steps", "60"])
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert error == (
        f"mario-train: error: another process is training in {path}; stop it or give another run\n"
    )
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before
    run.close()
    train(config(tmp_path, steps=60), path)


def test_t17_the_lock_of_a_dead_process_is_released(tmp_path):
    script = (
        "import os, sys, datetime; from pathlib import Path\n"
        "from mario.runs.run_folder import RunFolder\n"
        "run = RunFolder.create(Path(sys.argv[1]), {}, datetime.datetime(2026, 1, 1)); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    RunFolder.open(tmp_path / "2026-01-01T00-00-00").close()
