"""Tests of loading users' own modules and classes."""

from __future__ import annotations

import re
import sys

import pytest

from mario.errors import UsageError
from mario.system.plugins import check_module, load_class, load_plugin


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Make the test's folder the current one, and remove the current folder from ``sys.path``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    return tmp_path


def test_a_module_in_the_current_folder_is_loaded(folder):
    (folder / "a_game_of_mine.py").write_text("NAME = 'mine'")
    assert load_plugin("a_game_of_mine").NAME == "mine"


def test_a_file_with_the_name_of_a_library_does_not_hide_it(folder, monkeypatch):
    (folder / "colorsys.py").write_text("raise AssertionError('loaded instead of the library')")
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    assert load_plugin("colorsys").rgb_to_hsv(0, 0, 1)


def test_a_missing_module_is_an_import_error():
    with pytest.raises(ModuleNotFoundError, match="no_such_module_of_mine"):
        load_plugin("no_such_module_of_mine")


def test_a_mistyped_module_is_found_without_importing_it(folder):
    (folder / "a_class_of_mine.py").write_text("raise AssertionError('imported')")
    check_module("--agent", "a_class_of_mine:Mine")
    message = "there is no module 'a_clas_of_mine'; did you mean 'a_class_of_mine'?"
    with pytest.raises(UsageError, match=re.escape(message)):
        check_module("--agent", "a_clas_of_mine:Mine")


def test_a_mistyped_class_is_suggested(folder):
    (folder / "two_dicts_of_mine.py").write_text(
        "class Good(dict): pass\nclass Better(dict): pass\nclass Goods: pass"
    )
    with pytest.raises(UsageError, match=r"has no 'Godo'; did you mean 'Good'\?"):
        load_class("--agent", "two_dicts_of_mine:Godo", dict)
    with pytest.raises(UsageError, match=r"has no 'Xyz'; did you mean 'Good' or 'Better'\?"):
        load_class("--agent", "two_dicts_of_mine:Xyz", dict)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("Mine", "agent Mine: give it as module:Class"),
        ("nowhere:Mine", "agent nowhere:Mine: there is no module 'nowhere'"),
        ("a_class_of_mine:Yours", "a_class_of_mine has no 'Yours'; it defines no subclass of dict"),
        ("a_class_of_mine:x", "x is not a subclass of builtins.dict"),
        ("a_class_of_mine:Other", "Other is not a subclass of builtins.dict"),
    ],
)
def test_a_class_that_cannot_be_loaded_is_reported_in_one_line(folder, reference, message):
    (folder / "a_class_of_mine.py").write_text("x = 3\nclass Other: pass")
    with pytest.raises(UsageError) as error:
        load_class("--agent", reference, dict)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
