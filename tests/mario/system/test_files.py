"""A file is the old one or the new one, whatever happens while it is written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from mario.system.files import keep_as, remove_leftovers, write_atomically


def test_what_is_written_is_there(tmp_path):
    write_atomically(tmp_path / "a", lambda file: file.write(b"new"))
    assert (tmp_path / "a").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_failed_write_leaves_the_old_file_and_no_leftover(tmp_path):
    (tmp_path / "a").write_bytes(b"old")

    def half(file):
        file.write(b"ne")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_atomically(tmp_path / "a", half)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_content_is_durable_before_the_name_and_the_name_before_returning(tmp_path, monkeypatch):
    tape = []
    real = {"fsync": os.fsync, "replace": os.replace}

    def note(name):
        def call(*arguments):
            tape.append(name)
            return real[name](*arguments)

        return call

    monkeypatch.setattr(os, "fsync", note("fsync"))
    monkeypatch.setattr(os, "replace", note("replace"))
    write_atomically(tmp_path / "a", lambda file: file.write(b"new"))
    assert tape == ["fsync", "replace", "fsync"]


KILLED_AT_THE_NTH_CALL = """
import os, signal, sys
from pathlib import Path
from mario.system.files import keep_as, write_atomically
folder, fatal = Path(sys.argv[1]), int(sys.argv[2])
calls = 0
def counted(real):
    def call(*arguments, **more):
        global calls
        calls += 1
        if calls == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **more)
    return call
for name in ("open", "fsync", "replace", "link", "unlink"):
    setattr(os, name, counted(getattr(os, name)))
class Chopped:
    def __init__(self, file): self.file = file
    def write(self, data):
        counted(lambda: None)()
        self.file.write(data)
def write(file):
    for piece in (b"n", b"e", b"w"):
        Chopped(file).write(piece)
keep_as(folder / "last", folder / "previous")
write_atomically(folder / "last", write)
print("finished after", calls)
"""


def test_a_kill_at_any_moment_of_a_save_leaves_a_whole_file(tmp_path):
    for fatal in range(1, 40):
        folder = tmp_path / str(fatal)
        folder.mkdir()
        (folder / "last").write_bytes(b"old")
        (folder / "previous").write_bytes(b"older")
        command = [sys.executable, "-c", KILLED_AT_THE_NTH_CALL, str(folder), str(fatal)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (folder / "last").read_bytes() in (b"old", b"new")
        assert (folder / "previous").read_bytes() in (b"older", b"old")
        remove_leftovers(folder)
        assert sorted(path.name for path in folder.iterdir()) == ["last", "previous"]
        if done.returncode == 0:
            assert (folder / "last").read_bytes() == b"new"
            assert fatal > 8, "the kills must have struck a good number of places"
            return
    raise AssertionError("the save never finished")


def test_a_second_name_is_the_same_file_and_replaces_the_one_before(tmp_path):
    (tmp_path / "last").write_bytes(b"3")
    (tmp_path / "previous").write_bytes(b"2")
    keep_as(tmp_path / "last", tmp_path / "previous")
    keep_as(tmp_path / "last", tmp_path / "previous")
    assert (tmp_path / "previous").read_bytes() == b"3"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last", "previous"]


def test_a_file_that_is_not_there_gets_no_second_name(tmp_path):
    keep_as(tmp_path / "last", tmp_path / "previous")
    assert list(tmp_path.iterdir()) == []
