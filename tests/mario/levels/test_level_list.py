"""A list keeps which levels are complete, and is trained by one process at a time."""

from __future__ import annotations

import json
import threading

import pytest

from mario.errors import UsageError
from mario.levels import level_list
from mario.levels.level_list import LevelList, Status
from mario.runs.file_kind import is_list
from mario.runs.run_folder import RunFolder

CONFIGS = {"A-v0": {"game": "A-v0"}, "mine:B-v0": {"game": "mine:B-v0"}, "ALE/C": {"game": "ALE/C"}}


@pytest.fixture
def levels(tmp_path):
    levels = LevelList.create(tmp_path / "runs", CONFIGS, parallel=2, threads=3)
    yield levels
    levels.close()


def reopen(levels):
    levels.close()
    return LevelList.open(levels.path)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(level_list, "LOCK_SECONDS", 0.0)


def test_each_level_has_a_run_folder_that_can_be_resumed(levels):
    assert [run.path.name for run in levels.runs] == ["A-v0", "mine-B-v0", "ALE-C"]
    assert [RunFolder.read_config(run.path) for run in levels.runs] == list(CONFIGS.values())
    assert is_list(levels.path)
    assert not is_list(levels.runs[0].path)


def test_the_state_survives(levels):
    first, second, third = levels.runs
    levels.update(first, Status.COMPLETE)
    levels.update(second, Status.FAILED, "the disk is full")
    levels.update(third, Status.RUNNING)
    other = reopen(levels)
    assert [run.status for run in other.runs] == ["complete", "failed", "waiting"]
    assert other.runs[1].reason == "the disk is full"
    assert [run.game for run in other.unfinished] == ["mine:B-v0", "ALE/C"]
    assert (other.parallel, other.threads, other.path) == (2, 3, levels.path)
    levels.lock = other.lock


def test_another_process_is_refused(levels):
    with pytest.raises(UsageError, match=f"another process is training {levels.path}; stop it"):
        LevelList.open(levels.path)


def test_a_process_that_is_about_to_end_is_awaited(levels, monkeypatch):
    monkeypatch.setattr(level_list, "LOCK_SECONDS", 20.0)
    timer = threading.Timer(0.3, levels.close)
    timer.start()
    other = LevelList.open(levels.path)
    timer.join()
    assert len(other.runs) == 3
    levels.lock = other.lock


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2}, {"parallel": 0}, {"threads": "x"}, {"levels": [{}]}, {"levels": None},
        {"more": 1},
    ],
)  # fmt: skip
def test_a_damaged_state_is_refused_by_name(levels, change):
    file = levels.path / "levels.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(UsageError, match=f"cannot read {file}: it is damaged"):
        reopen(levels)
    levels.lock = level_list.lock_file(levels.path / "lock")


@pytest.mark.parametrize("folder", ["..", "../other", "/tmp", ""])
def test_a_run_outside_the_list_is_refused(levels, folder):
    file = levels.path / "levels.json"
    state = json.loads(file.read_text())
    state["levels"][0]["folder"] = folder
    file.write_text(json.dumps(state))
    with pytest.raises(UsageError, match="it is damaged"):
        reopen(levels)
    levels.lock = level_list.lock_file(levels.path / "lock")


def test_a_folder_without_a_list_is_refused(tmp_path):
    with pytest.raises(UsageError, match="give the folder of a list"):
        LevelList.open(tmp_path)
