"""T6: a disk that is full at any write, or slow; files stay intact and the run can go on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from run_comparison import run_differences
from short_runs import config

from mario.runs.checkpoint import load
from mario.training.callbacks import Callback
from mario.training.session import Session

ROOT = Path(__file__).parents[2]
DELAY_MILLISECONDS = 5
"""How much longer each write takes on a slow disk; ten times as much for ``fsync``."""

HERE = Path(__file__).parent
RUNS = [
    pytest.param(31, 1, id="some writes"),
    pytest.param(1, 1, id="each write", marks=pytest.mark.long),
    pytest.param(7, 60, id="many writes", marks=pytest.mark.long),
]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The compiled ``failing_writes.c``."""
    if shutil.which("gcc") is None or sys.platform != "linux":
        pytest.skip("needs gcc and Linux")
    path = tmp_path_factory.mktemp("library") / "failing_writes.so"
    source = HERE / "failing_writes.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", source, "-o", path, "-ldl"], check=True)
    return path


def run_script(library, name, *arguments):
    """Run a script with the library; return the value of the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, HERE / name, *map(str, arguments)],
        capture_output=True, text=True, check=False,
        env=os.environ | {
            "LD_PRELOAD": str(library),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "scripts" / "experiments")]),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("stride", "count"), RUNS)
def test_t06_training_survives_a_full_disk_at_any_write(library, tmp_path, stride, count):
    script = "fail_each_write.py"
    (_, code, output), *others = run_script(library, script, "train", tmp_path, stride, count)
    assert code == 0, output
    assert len(others) > 2
    (whole,) = (tmp_path / "whole").iterdir()
    codes = [code for _, code, _ in others]
    assert set(codes) <= {0, 1, 2}, [(first, code) for first, code, _ in others]
    if stride == 1:
        assert codes.count(0) > len(codes) / 2, "a single failed write seldom matters"
    for first, code, output in others:
        assert "Traceback" not in output, (first, output)
        if code == 0:
            (run,) = (tmp_path / f"from-{first}").iterdir()
            assert run_differences(whole, run) == [], first
        else:
            assert "mario-train: error: " in output


@pytest.mark.parametrize(("stride", "count"), RUNS)
def test_t06_a_recording_is_complete_or_refused(library, tmp_path, stride, count):
    script = "fail_each_write.py"
    (_, code, output), *others = run_script(library, script, "record", tmp_path, stride, count)
    assert code == 0, output
    expected = (tmp_path / "whole" / "play.mp4").read_bytes()
    for first, code, output in others:
        files = list((tmp_path / f"from-{first}").iterdir())
        assert "Traceback" not in output, (first, output)
        if code == 0:
            assert [file.read_bytes() for file in files] == [expected], first
        else:
            assert (code, files) == (2, []), (first, output)


class FillDisk(Callback):
    """Fills the disk after 40 steps, and frees it again after 80."""

    def __init__(self, folder):
        self.filler = folder / "filler"

    def on_step(self, step):
        if self.trainer.steps == 40:
            free = shutil.disk_usage(self.filler.parent).free
            with self.filler.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, free)
        if self.trainer.steps == 80:
            self.filler.unlink()


def test_t06_training_goes_on_when_a_small_disk_fills_up(tmp_path, monkeypatch, capsys):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", tmp_path], capture_output=True,
        check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("mounting a file system needs the superuser")
    monkeypatch.setattr("mario.training.checkpointer.RETRY_SECONDS", 0.0)
    try:
        settings = config(tmp_path, "ppo", save_seconds=0.001)
        session = Session(settings, None, stop=lambda: False, callbacks=[FillDisk(tmp_path)])
        with session:
            session.train()
        assert load(session.run.path / "last.chkpt")["steps"] == 120
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)
    assert "could not save at step 42: No space left on device" in capsys.readouterr().out


def test_t06_training_goes_on_with_a_slow_disk_and_obeys_signals(library, tmp_path):
    runs = run_script(library, "slow_disk.py", tmp_path, DELAY_MILLISECONDS)
    for name, (code, output, calls, _) in runs.items():
        assert code == (143 if name == "stopped" else 0), (name, output)
        assert "Traceback" not in output, (name, output)
        assert calls > 20, name
    fast, slow, stopped = (next((tmp_path / name).iterdir()) for name in runs)
    assert run_differences(fast, slow) == []
    _, _, calls, seconds = runs["slow"]
    assert seconds > calls * DELAY_MILLISECONDS / 1000, "the disk was not slow"
    assert "the run was stopped and saved" in runs["stopped"][1]
    assert 0 < load(stopped / "last.chkpt")["steps"] < 100_000
    assert runs["stopped"][3] < 60, "the save in progress, and another one"
