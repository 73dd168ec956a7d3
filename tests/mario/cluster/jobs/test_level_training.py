"""The levels of a list are jobs of the workers of a cluster."""

from __future__ import annotations

import pytest
from fake_training import FAKE_MAIN, starts
from in_process_fleet import InProcessFleet

from mario.cluster.jobs import level_training
from mario.cluster.jobs.level_training import LevelWorker, train_levels_on_fleet
from mario.errors import RunError
from mario.levels import LevelList, training_process


@pytest.fixture(autouse=True)
def fake_training(tmp_path, monkeypatch):
    monkeypatch.setattr(training_process, "MAIN", FAKE_MAIN)
    monkeypatch.setattr(level_training, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(level_training, "POLL_SECONDS", 0.02)
    (tmp_path / "machine").mkdir()
    monkeypatch.setattr(level_training.tempfile, "tempdir", str(tmp_path / "machine"))


@pytest.fixture
def make_list(tmp_path):
    """Return a function that makes a list of levels that behave as their names say."""
    lists = []

    def make(*names):
        configs = {f"{index}-{name}": {"game": name} for index, name in enumerate(names)}
        lists.append(LevelList.create(tmp_path / "runs", configs, parallel=1, threads=None))
        return lists[-1]

    yield make
    for each in lists:
        each.close()


def train(levels, workers=2, stop=lambda fleet: False):
    lines, fleet = [], InProcessFleet(LevelWorker, workers)
    train_levels_on_fleet(
        levels, ["--seed", "3"], fleet, report=lines.append, stop=lambda: stop(fleet)
    )
    fleet.close()
    return lines


def test_the_runs_come_back_to_the_driver(make_list, tmp_path):
    levels = make_list("succeeds", "fails", "succeeds")
    lines = train(levels)
    assert [run.status for run in levels.runs] == ["complete", "failed", "complete"]
    assert levels.runs[1].reason == "exit code 1: the disk is full"
    assert [starts(run) for run in levels.runs] == [["--seed 3"]] * 3
    assert lines[0].endswith(f"0-succeeds: training on worker 0, in {levels.runs[0].path}")
    assert lines[-1] == "[3/3] 2-succeeds: complete: 200 steps in 2.0 minutes - best 50% cleared"
    assert not (levels.runs[0].path / "memory").exists()
    assert list((tmp_path / "machine").iterdir()) == []


def test_a_level_whose_worker_is_lost_goes_on_elsewhere_from_its_last_save(make_list):
    levels = make_list("waits")
    (run,) = levels.runs
    lost = []

    def stop(fleet):
        if starts(run) and not lost:
            lost.append((run.path / "last.chkpt").read_text())
            fleet.dismiss(0, "its machine died")
            (run.path / "go").touch()  # a part of the files with which the next worker begins
        return False

    lines = train(levels, 1, stop)
    assert lost == ["1"]
    assert (run.path / "last.chkpt").read_text() == "2"
    assert run.status == "complete"
    assert "worker 0 is lost (its machine died); a replacement is on its way" in lines
    assert sum("training on worker 0" in line for line in lines) == 2


def test_stopping_saves_all_runs_and_brings_them_back(make_list):
    levels = make_list("waits", "waits", "succeeds")
    train(levels, stop=lambda fleet: all(map(starts, levels.runs[:2])))
    assert [run.status for run in levels.runs] == ["waiting"] * 3
    assert [(run.path / "saved").exists() for run in levels.runs] == [True, True, False]


def test_a_cluster_in_trouble_ends_the_list(make_list):
    levels = make_list("waits")

    def stop(fleet):
        fleet.trouble = RunError("the head does not answer") if starts(levels.runs[0]) else None
        return False

    with pytest.raises(RunError, match="the head does not answer"):
        train(levels, 1, stop)


def test_a_new_worker_removes_the_folders_of_those_that_were_killed(tmp_path):
    machine = tmp_path / "machine"
    abandoned, in_use = machine / "mario-level-a", machine / "mario-level-b"
    for folder in (abandoned, in_use):
        folder.mkdir()
        (folder / "lock").touch()
    lock = level_training.lock_file(in_use / "lock")
    worker = LevelWorker(None)
    level_training.os.close(lock)
    assert not abandoned.exists()
    assert in_use.exists()
    worker.close()
