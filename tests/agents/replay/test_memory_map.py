from __future__ import annotations

import errno
import resource
import shutil
from collections import namedtuple

import pytest

from agents.replay.memory_map import InsufficientDiskSpace, flush_table, open_table

Usage = namedtuple("Usage", "total used free")


def test_its_space_is_reserved_when_it_is_made(tmp_path):
    table = open_table(tmp_path / "new", lanes=2, rows=50, frame_size=4096)
    frames = tmp_path / "new" / "frame.memmap"
    assert frames.stat().st_blocks * 512 >= frames.stat().st_size == 2 * 50 * 4096
    assert table.batch_size == (2, 50)
    assert not table["frame"].any()


def test_what_was_written_is_there_again(tmp_path):
    table = open_table(tmp_path, lanes=2, rows=3, frame_size=4)
    table["reward"][1, 2] = 7.5
    flush_table(tmp_path)
    assert open_table(tmp_path, lanes=2, rows=3, frame_size=4)["reward"][1, 2] == 7.5


def test_a_table_of_another_size_is_left_alone(tmp_path):
    open_table(tmp_path, lanes=2, rows=3, frame_size=4)
    with pytest.raises(ValueError, match=r"has 24 bytes where this memory needs 32; go on with"):
        open_table(tmp_path, lanes=2, rows=4, frame_size=4)
    assert (tmp_path / "reward.memmap").stat().st_size == 24


def test_a_disk_without_room_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - 10**7, 10**7))
    with pytest.raises(InsufficientDiskSpace) as refusal:
        open_table(tmp_path, lanes=1, rows=10**5, frame_size=7056)
    assert str(refusal.value) == (
        f"the memory needs 0.71 GB more at {tmp_path}, where 0.01 GB are free: "
        "choose a smaller memory or another folder"
    )
    assert refusal.value.errno == errno.ENOSPC
    assert not list(tmp_path.iterdir())


def test_what_is_there_already_needs_no_room(tmp_path, monkeypatch):
    open_table(tmp_path, lanes=1, rows=100, frame_size=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 0))
    open_table(tmp_path, lanes=1, rows=100, frame_size=100)


def test_room_that_is_refused_after_all_leaves_nothing_behind(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**5, limits[1]))
    try:
        with pytest.raises(InsufficientDiskSpace, match="choose a smaller memory"):
            open_table(tmp_path, lanes=1, rows=1000, frame_size=1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


def test_space_is_reserved_where_the_system_has_no_call_for_it(tmp_path, monkeypatch):
    monkeypatch.delattr("os.posix_fallocate")
    open_table(tmp_path, lanes=1, rows=300, frame_size=7056)
    frames = (tmp_path / "frame.memmap").stat()
    assert frames.st_blocks * 512 >= frames.st_size == 300 * 7056
