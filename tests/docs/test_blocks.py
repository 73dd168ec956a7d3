"""Every command and code block of the README and of the documentation runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml
from blocks import ROOT, BlockError, commands, read_blocks, run_blocks

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")])
LANGUAGES = {"bash", "python", "text", "yaml"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder of the blocks; modules that they import are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        file = getattr(sys.modules[name], "__file__", None)
        if file and Path(file).is_relative_to(tmp_path):
            del sys.modules[name]


def write_page(folder, *lines):
    page = folder / "page.md"
    page.write_text("\n".join(lines) + "\n")
    return page


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run(page, folder):
    run_blocks(page, folder)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_name_their_language_and_who_runs_them(page):
    for block in read_blocks(page):
        assert block.language in LANGUAGES, block.place
        other = block.argument("by")
        assert other is None or (ROOT / other).is_file(), block.place
        if block.language == "yaml":
            yaml.safe_load(block.code)


def test_marks_belong_to_the_next_block_only(tmp_path):
    page = write_page(
        tmp_path, "<!-- test: append --steps 40 -->", "", "```bash", "mario-train", "```",
        "text", "```bash", "ls", "```",
    )  # fmt: skip
    first, second = read_blocks(page)
    assert (first.line, first.code, first.marks) == (
        3,
        "mario-train\n",
        (("append", "--steps 40"),),
    )
    assert second.marks == ()


def test_blocks_share_their_variables_and_files(folder):
    page = write_page(
        folder, "<!-- test: file mine.py -->", "```python", "VALUE = 3", "```",
        "```python", "import mine", "value = mine.VALUE", "```",
        "<!-- test: replace 10 with 3 -->", "```python", "assert value == 10", "```",
        "```bash", "grep -q VALUE mine.py", "test -e docs", "```",
    )  # fmt: skip
    run_blocks(page, folder)


@pytest.mark.parametrize(
    ("command", "code"), [("mario-eval nothing.chkpt", 2), ("false", 1), ("false | true; false", 1)]
)
def test_a_command_that_fails_is_named_with_its_line(folder, command, code):
    page = write_page(folder, "```bash", command, "```")
    with pytest.raises(
        BlockError, match=f"page.md:1: {re.escape(repr(command))} exited with {code}"
    ):
        run_blocks(page, folder)


def test_a_run_folder_stands_for_the_latest_run(folder):
    for name in ("2026-02-01T00-00-00", "2026-01-01T00-00-00"):
        (folder / "runs" / name).mkdir(parents=True)
    (folder / "runs" / "2026-02-01T00-00-00" / "log").touch()
    run_blocks(write_page(folder, "```bash", "test -e runs/2020-01-31T09-00-00/log", "```"), folder)


def test_an_included_file_replaces_its_snippet(tmp_path):
    page = write_page(tmp_path, "```text", "--8<--", "LICENSE", "--8<--", "```")
    assert read_blocks(page)[0].code == (ROOT / "LICENSE").read_text() + "\n"


def test_a_block_that_is_not_closed_is_refused(tmp_path):
    with pytest.raises(ValueError, match="page.md:1 is not closed"):
        read_blocks(write_page(tmp_path, "```bash", "ls"))


def test_comments_are_not_commands():
    assert commands("# a comment\nls  # another\n") == ["ls  # another"]
