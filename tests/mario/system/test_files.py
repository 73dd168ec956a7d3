"""Tests of atomic writes."""

from __future__ import annotations

import errno
import os

import pytest

from mario.system.files import (
    link_atomically,
    set_aside,
    write_atomically,
)


def test_a_file_is_written_without_leftovers(tmp_path):
    write_atomically(tmp_path / "a", lambda file: file.write(b"new"))
    assert (tmp_path / "a").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failed_write_leaves_the_old_file_and_no_temporary_file(tmp_path):
    (tmp_path / "a").write_bytes(b"old")

    def fail_halfway(file):
        file.write(b"ne")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "a", fail_halfway)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_old_file_gets_its_new_name_when_the_new_content_is_complete(tmp_path):
    (tmp_path / "last").write_bytes(b"old")
    (tmp_path / "previous").write_bytes(b"older")

    def write(file):
        file.write(b"new")
        assert (tmp_path / "previous").read_bytes() == b"older"

    write_atomically(tmp_path / "last", write, backup=tmp_path / "previous")
    assert (tmp_path / "last").read_bytes() == b"new"
    assert (tmp_path / "previous").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last", "previous"]


def test_a_link_is_the_same_file_and_replaces_an_earlier_one(tmp_path):
    (tmp_path / "last").write_bytes(b"3")
    (tmp_path / "previous").write_bytes(b"2")
    link_atomically(tmp_path / "last", tmp_path / "previous")
    link_atomically(tmp_path / "last", tmp_path / "previous")
    assert (tmp_path / "previous").read_bytes() == b"3"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last", "previous"]


def test_a_missing_file_is_not_linked(tmp_path):
    link_atomically(tmp_path / "last", tmp_path / "previous")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK])
def test_a_file_system_without_hard_links_gets_a_copy(tmp_path, monkeypatch, code):
    (tmp_path / "a").write_bytes(b"new")
    (tmp_path / "b").write_bytes(b"old")

    def refuse(*arguments):
        raise OSError(code, "not supported")

    monkeypatch.setattr(os, "link", refuse)
    link_atomically(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_file_that_is_set_aside_never_replaces_another(tmp_path):
    for content in ("one", "two", "three"):
        (tmp_path / "a").write_text(content)
        set_aside(tmp_path / "a")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.damaged": "one", "a.damaged-2": "two", "a.damaged-3": "three",
    }  # fmt: skip


def test_a_temporary_file_is_never_written_through_a_link(tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("precious")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / f".tmp-{os.getpid()}-a").symlink_to(outside)
    write_atomically(folder / "a", lambda file: file.write(b"new"))
    assert (outside.read_text(), (folder / "a").read_text()) == ("precious", "new")


def test_a_folder_in_place_of_a_file_is_renamed(tmp_path):
    (tmp_path / "a").mkdir()
    write_atomically(tmp_path / "a", lambda file: file.write(b"new"))
    (tmp_path / "b").mkdir()
    link_atomically(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"new"
    assert (tmp_path / "a.damaged").is_dir()
