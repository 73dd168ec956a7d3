"""A copy of a run folder is brought up to date with the blocks that have changed."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mario.cluster.jobs import folder_copy
from mario.cluster.jobs.folder_copy import FolderReader, write_changes


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_copy, "BLOCK", 16)
    folder = tmp_path / "run"
    (folder / "memory").mkdir(parents=True)
    (folder / "memory" / "frames").write_bytes(bytes(100))
    (folder / "last.chkpt").write_bytes(b"weights" * 9)
    (folder / "log").write_bytes(b"line\n")
    (folder / "lock").touch()
    (folder / ".tmp-1-log").touch()
    (folder / "previous.chkpt").touch()
    return folder


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "copy"
    folder.mkdir()
    return folder


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("lock", ".tmp-1-log", "previous.chkpt")
    }


def test_a_new_copy_has_all_files_that_a_resumed_run_needs(run, copy):
    changes = FolderReader(run).changes()
    write_changes(copy, changes)
    assert content(copy) == content(run)
    assert not (copy / "lock").exists()
    assert [change.name for change in changes.files] == ["memory/frames", "log", "last.chkpt"]


def test_only_blocks_that_changed_are_sent_and_zeros_never(run, copy):
    reader = FolderReader(run)
    first = reader.changes()
    assert first.files[0].blocks == ()
    write_changes(copy, first)
    assert reader.changes().files == ()
    with open(run / "memory" / "frames", "r+b") as file:
        file.seek(20)
        file.write(b"x")
    (change,) = reader.changes().files
    assert [index for index, _ in change.blocks] == [1]
    write_changes(copy, type(first)((change,), first.names))
    assert content(copy) == content(run)


def test_the_memory_is_changed_in_place_and_other_files_are_replaced(run, copy):
    reader = FolderReader(run)
    write_changes(copy, reader.changes())
    files = [copy / "memory" / "frames", copy / "last.chkpt"]
    before = [os.stat(file).st_ino for file in files]
    (run / "memory" / "frames").write_bytes(b"y" * 100)
    (run / "last.chkpt").write_bytes(b"newer")
    write_changes(copy, reader.changes())
    after = [os.stat(file).st_ino for file in files]
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)


def test_removed_files_are_removed_but_not_the_lock(run, copy):
    reader = FolderReader(run)
    write_changes(copy, reader.changes())
    (copy / "lock").touch()
    (run / "memory" / "frames").unlink()
    (run / "log").unlink()
    write_changes(copy, reader.changes())
    assert {path.name for path in copy.iterdir()} == {"last.chkpt", "lock"}


@given(st.lists(st.binary(max_size=70), min_size=1, max_size=5))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_copy_equals_the_folder_after_any_changes(run, copy, contents):
    for old in copy.rglob("*"):
        if old.is_file():
            old.unlink()
    reader = FolderReader(run)
    for data in contents:
        (run / "memory" / "frames").write_bytes(data)
        (run / "log").write_bytes(data[::-1])
        write_changes(copy, reader.changes())
        assert content(copy) == content(run)
