"""Tests of the copies of files that a run needs."""

from __future__ import annotations

import pytest

from mario.errors import UsageError
from mario.runs.run_files import collect_files


def test_files_are_copied_in_their_order_and_found_when_the_run_is_resumed(tmp_path):
    sources = [tmp_path / "b.demo", tmp_path / "a.demo"]
    for source in sources:
        source.write_text(source.name)
    names = [str(source) for source in sources]
    copies = collect_files("demos", names, tmp_path / "copies")
    assert [copy.read_text() for copy in copies] == ["b.demo", "a.demo"]
    for source in sources:
        source.unlink()
    assert collect_files("demos", names, tmp_path / "copies") == copies


def test_interrupted_writing_begins_again(tmp_path):
    def interrupted(folder):
        (folder / "half.demo").touch()
        raise KeyboardInterrupt

    def complete(folder):
        (folder / "whole.demo").touch()

    folder = tmp_path / "demonstrations"
    with pytest.raises(KeyboardInterrupt):
        collect_files("demos", ["search"], folder, {"search": interrupted})
    (path,) = collect_files("demos", ["search"], folder, {"search": complete})
    assert path.name == "whole.demo"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match="demos nothing.demo cannot be read: No such.*or search"):
        collect_files("demos", ["nothing.demo"], tmp_path / "copies", {"search": print})
