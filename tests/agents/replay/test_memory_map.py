from __future__ import annotations

import errno
import os
import resource
import shutil
from collections import namedtuple

import pytest

from agents.replay.memory_map import InsufficientDiskSpace, flush_table, open_table

Usage = namedtuple("Usage", "total used free")


def test_disk_space_is_reserved_when_a_table_is_created(tmp_path):
    table = open_table(tmp_path / "new", num_envs=2, num_rows=50, frame_size=4096)
    frames = tmp_path / "new" / "frame.memmap"
    assert frames.stat().st_blocks * 512 >= frames.stat().st_size == 2 * 50 * 4096
    assert table.batch_size == (2, 50)
    assert not table["frame"].any()


def test_a_reopened_table_has_its_values(tmp_path):
    table = open_table(tmp_path, num_envs=2, num_rows=3, frame_size=4)
    table["reward"][1, 2] = 7.5
    flush_table(tmp_path)
    assert open_table(tmp_path, num_envs=2, num_rows=3, frame_size=4)["reward"][1, 2] == 7.5


def test_a_table_of_another_size_is_refused_and_not_changed(tmp_path):
    open_table(tmp_path, num_envs=2, num_rows=3, frame_size=4)
    with pytest.raises(ValueError, match="has 24 bytes but this replay memory needs 32; use"):
        open_table(tmp_path, num_envs=2, num_rows=4, frame_size=4)
    assert (tmp_path / "reward.memmap").stat().st_size == 24


def test_a_full_disk_is_reported_in_one_line_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9 - 10**7, 10**7))
    with pytest.raises(InsufficientDiskSpace) as refusal:
        open_table(tmp_path, num_envs=1, num_rows=10**5, frame_size=7056)
    assert str(refusal.value) == (
        f"the replay memory needs 0.71 GB more at {tmp_path}, where 0.01 GB are free: "
        "choose a smaller capacity or another folder"
    )
    assert refusal.value.errno == errno.ENOSPC
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_that_cannot_reserve_space_gets_zeros(tmp_path, monkeypatch, code):
    def refuse(*arguments):
        raise OSError(code, "not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    table = open_table(tmp_path, num_envs=2, num_rows=200, frame_size=4096)
    frames = tmp_path / "frame.memmap"
    assert frames.stat().st_blocks * 512 >= frames.stat().st_size == 2 * 200 * 4096
    assert not table["frame"].any()


def test_a_table_whose_files_vanished_cannot_be_flushed(tmp_path):
    open_table(tmp_path, num_envs=1, num_rows=10, frame_size=4)
    (tmp_path / "reward.memmap").unlink()
    with pytest.raises(FileNotFoundError, match="reward"):
        flush_table(tmp_path)


def test_an_existing_table_needs_no_disk_space(tmp_path, monkeypatch):
    open_table(tmp_path, num_envs=1, num_rows=100, frame_size=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, 0))
    open_table(tmp_path, num_envs=1, num_rows=100, frame_size=100)


def test_a_failed_reservation_leaves_no_files(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**5, limits[1]))
    try:
        with pytest.raises(InsufficientDiskSpace, match="choose a smaller capacity"):
            open_table(tmp_path, num_envs=1, num_rows=1000, frame_size=1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


def test_disk_space_is_reserved_on_systems_without_posix_fallocate(tmp_path, monkeypatch):
    monkeypatch.delattr("os.posix_fallocate")
    open_table(tmp_path, num_envs=1, num_rows=300, frame_size=7056)
    frames = (tmp_path / "frame.memmap").stat()
    assert frames.st_blocks * 512 >= frames.st_size == 300 * 7056
