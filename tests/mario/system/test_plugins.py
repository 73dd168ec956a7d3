"""A user's modules are found in the current folder, and hide nothing."""

from __future__ import annotations

import sys

import pytest

from mario.system.plugins import load_plugin


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each])
    return tmp_path


def test_a_module_in_the_current_folder_is_found(here):
    (here / "a_game_of_mine.py").write_text("NAME = 'mine'")
    assert load_plugin("a_game_of_mine").NAME == "mine"


def test_a_file_named_as_a_library_is_does_not_hide_it(here, monkeypatch):
    (here / "colorsys.py").write_text("raise AssertionError('taken for the library')")
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    assert load_plugin("colorsys").rgb_to_hsv(0, 0, 1)


def test_what_is_not_there_is_an_import_error():
    with pytest.raises(ModuleNotFoundError, match="no_such_module_of_mine"):
        load_plugin("no_such_module_of_mine")
