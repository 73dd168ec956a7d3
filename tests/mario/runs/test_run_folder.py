"""A run folder is made once, has one trainer, and always has something good to go on from."""

from __future__ import annotations

import datetime
import errno
import subprocess
import sys

import pytest
import torch

import mario.runs.run_folder
from mario.errors import UsageError
from mario.runs.checkpoint import load
from mario.runs.run_folder import Run

NOW = datetime.datetime(2026, 11, 21, 9, 5, 7)


def example(steps, **more):
    plain = dict.fromkeys(("steps", "episodes", "seed", "num_actions"), steps)
    names = dict.fromkeys(("agent", "game", "actions", "emulator"), "x")
    nested = {key: {} for key in ("hyper", "wrappers", "versions")}
    weights = {"w": torch.full((1000,), float(steps))}
    base = {"format": 1, "model": weights, "exploration_rate": 1.0, "state_shape": [1]}
    return base | plain | names | nested | {"resume": {"steps": steps}} | more


def full(path, write):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def run(tmp_path):
    run = Run.create(tmp_path / "runs", {"game": "x"}, NOW)
    yield run
    run.close()


def test_a_run_is_named_by_the_time_it_began(run):
    assert run.folder.name == "2026-11-21T09-05-07"
    assert Run.read_config(run.folder) == {"game": "x"}


def test_it_goes_on_with_another_configuration(run, monkeypatch):
    run.go_on_with({"game": "x", "steps": 5})
    assert Run.read_config(run.folder) == {"game": "x", "steps": 5}
    monkeypatch.setattr(mario.runs.run_folder, "write_atomically", full)
    with pytest.raises(UsageError, match=r"cannot write in .*: No space left"):
        run.go_on_with({"game": "x"})


def test_two_runs_of_one_second_have_two_folders(run):
    other = Run.create(run.folder.parent, {}, NOW)
    assert other.folder.name == "2026-11-21T09-05-07-2"
    other.close()


def test_the_one_before_the_last_is_kept(run):
    for steps in (1, 2, 3):
        run.save_last(example(steps))
    assert load(run.folder / "last.chkpt")["steps"] == 3
    assert load(run.folder / "previous.chkpt")["steps"] == 2
    checkpoint, passed = run.load_last()
    assert checkpoint["steps"] == 3
    assert passed == []


@pytest.mark.parametrize("damage", [b"", b"half of it", None])
def test_a_damaged_last_falls_back_to_the_one_before_and_says_so(run, damage):
    for steps in (1, 2):
        run.save_last(example(steps))
    last = run.folder / "last.chkpt"
    last.write_bytes(last.read_bytes()[:-50] if damage is None else damage)
    checkpoint, passed = run.load_last()
    assert checkpoint["steps"] == 1
    assert len(passed) == 1
    assert "last.chkpt" in passed[0]


def test_a_missing_last_falls_back_too(run):
    for steps in (1, 2):
        run.save_last(example(steps))
    (run.folder / "last.chkpt").unlink()
    assert run.load_last()[0]["steps"] == 1


def test_when_nothing_good_is_left_it_stops_and_never_starts_over(run):
    for steps in (1, 2):
        run.save_last(example(steps))
    for name in ("last.chkpt", "previous.chkpt"):
        (run.folder / name).write_bytes(b"gone")
    with pytest.raises(UsageError, match="nothing good is left to resume from"):
        run.load_last()


def test_numbered_checkpoints_alone_are_nothing_to_resume_from(run):
    run.save_numbered(0, example(5))
    with pytest.raises(UsageError, match=r"has lost its last\.chkpt"):
        run.load_last()


def test_a_run_stopped_before_its_first_save_starts_from_its_beginning(run):
    assert run.load_last() == (None, [])


def test_leftovers_of_a_killed_writer_are_cleared_away(run):
    folder = run.folder
    (folder / ".tmp-123-last.chkpt").write_bytes(b"half")
    run.close()
    again = Run.open(folder)
    assert not list(folder.glob(".tmp-*"))
    again.close()
    run._lock = Run.open(folder)._lock


def test_a_second_trainer_is_refused(run):
    script = "import sys, pathlib, mario.runs.run_folder; mario.runs.run_folder.Run.open(pathlib.Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", script, str(run.folder)], capture_output=True, text=True, check=False
    )
    assert "another trainer is at work in" in done.stderr


def test_the_lock_of_a_dead_trainer_holds_nobody_up(tmp_path):
    script = (
        "import os, sys, datetime; from pathlib import Path; from mario.runs.run_folder import Run\n"
        "run = Run.create(Path(sys.argv[1]), {}, datetime.datetime(2026, 1, 1)); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    Run.open(tmp_path / "2026-01-01T00-00-00").close()


def test_a_checkpoint_names_its_run(run):
    run.save_last(example(1))
    folder = run.folder
    run.close()
    again = Run.open(folder / "last.chkpt")
    assert again.folder == folder
    run._lock = again._lock


@pytest.mark.parametrize("where", ["", "nowhere"])
def test_what_is_no_run_is_refused(tmp_path, where):
    with pytest.raises(UsageError, match=r"is not a run: it has no config\.yaml; name the folder"):
        Run.open(tmp_path / where)


@pytest.mark.parametrize("text", ["a: [", "- 1", "\x00"])
def test_a_damaged_configuration_is_refused(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(UsageError, match="cannot read"):
        Run.read_config(tmp_path)


def test_a_configuration_never_runs_code(tmp_path):
    (tmp_path / "config.yaml").write_text("!!python/object/apply:os.mkdir [evil]")
    with pytest.raises(UsageError, match="it is damaged"):
        Run.read_config(tmp_path)


def test_a_full_disk_leaves_no_folder_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(mario.runs.run_folder, "write_atomically", full)
    with pytest.raises(UsageError, match=r"cannot write in .*: No space left.*--save-dir"):
        Run.create(tmp_path, {}, NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot make .*file.*; choose another --save-dir"):
        Run.create(tmp_path / "file", {}, NOW)
