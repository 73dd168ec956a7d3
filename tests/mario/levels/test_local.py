"""The levels of a list are trained in processes of their own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_training import FAKE_MAIN, starts

from mario.levels import LevelList, local, train_levels, training_process


@pytest.fixture(autouse=True)
def fake_training(monkeypatch):
    monkeypatch.setattr(training_process, "MAIN", FAKE_MAIN)
    monkeypatch.setattr(local, "POLL_SECONDS", 0.02)


@pytest.fixture
def make_list(tmp_path):
    """Return a function that makes a list of levels that behave as their names say."""
    lists = []

    def make(*names, parallel=1, threads=None):
        configs = {f"{index}-{name}": {"game": name} for index, name in enumerate(names)}
        lists.append(LevelList.create(tmp_path, configs, parallel=parallel, threads=threads))
        return lists[-1]

    yield make
    for each in lists:
        each.close()


def train(levels, flags=(), stop=lambda: False):
    lines = []
    train_levels(levels, flags, report=lines.append, stop=stop)
    return lines


def test_a_level_that_fails_does_not_stop_the_others(make_list):
    levels = make_list("succeeds", "fails", "dies", "succeeds")
    lines = train(levels)
    assert [run.status for run in levels.runs] == ["complete", "failed", "failed", "complete"]
    assert f"[2/4] 1-fails: failed: exit code 1: the disk is full; see {levels.path}" in lines[3]
    assert "[3/4] 2-dies: failed: its process was killed by SIGKILL" in lines[5]
    assert lines[-1] == "[4/4] 3-succeeds: complete: 200 steps in 2.0 minutes - best 50% cleared"


def test_a_complete_level_is_never_trained_again_and_a_failed_one_is(make_list):
    levels = make_list("succeeds", "fails")
    train(levels)
    assert "resumed after" not in train(levels)[0]
    assert [len(starts(run)) for run in levels.runs] == [1, 2]


def test_levels_are_trained_side_by_side_with_a_share_of_the_cores(make_list, monkeypatch):
    monkeypatch.setattr(local, "available_cores", lambda: 7)
    levels = make_list("waits", "waits", "waits", parallel=2)

    side_by_side = []

    def stop():
        if not side_by_side and all(map(starts, levels.runs[:2])):
            side_by_side.extend(run.status for run in levels.runs)
            for run in levels.runs:
                (run.path / "go").touch()
        return False

    train(levels, ["--seed", "3"], stop)
    assert side_by_side == ["running", "running", "waiting"]
    assert [starts(run) for run in levels.runs] == [["--seed 3 --threads 3"]] * 3
    assert {run.status for run in levels.runs} == {"complete"}


def test_a_single_level_uses_all_cores_unless_threads_are_given(make_list):
    for threads in (None, 2):
        levels = make_list("succeeds", threads=threads)
        train(levels)
        assert starts(levels.runs[0]) == [f"--threads {threads}"]


def test_stopping_saves_all_runs_and_keeps_them_waiting(make_list):
    levels = make_list("waits", "waits", "succeeds", parallel=2)
    lines = train(levels, stop=lambda: all(map(starts, levels.runs[:2])))
    assert [run.status for run in levels.runs] == ["waiting"] * 3
    assert [(run.path / "saved").exists() for run in levels.runs] == [True, True, False]
    assert lines[-1] == "[2/3] 1-waits: stopped and saved: no episode has ended yet"


def test_the_replay_memory_of_a_complete_level_is_removed(make_list):
    levels = make_list("succeeds")
    train(levels)
    assert not (levels.runs[0].path / "memory").exists()


def test_a_process_saves_and_ends_when_its_parent_is_killed(make_list):
    levels = make_list("waits")
    path = levels.runs[0].path
    parent = subprocess.Popen(
        [
            sys.executable, "-c",
            "import sys, time; from pathlib import Path; from mario.levels import training_process;"
            "training_process.MAIN = sys.argv[1];"
            "process = training_process.TrainingProcess(Path(sys.argv[2]), []);"
            "print(process.pid, flush=True); time.sleep(600)",
            FAKE_MAIN, str(path),
        ],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with parent:
        pid = int(parent.stdout.readline())
        while not (path / "started").exists():
            time.sleep(0.02)
        parent.kill()
    end = time.monotonic() + 20
    while not (path / "saved").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < end
        time.sleep(0.02)
