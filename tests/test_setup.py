"""The build options of each compiler."""

from __future__ import annotations

import configparser
import platform
import runpy
from pathlib import Path

import pytest
import setuptools
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(("system", "first_letter"), [("Windows", "/"), ("Linux", "-")])
def test_options_are_those_of_the_compiler(monkeypatch, system, first_letter):
    pytest.importorskip("nanobind", reason="only needed to build")
    extensions = []
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(setuptools, "setup", lambda ext_modules: extensions.extend(ext_modules))
    monkeypatch.chdir(REPOSITORY)
    runpy.run_path("setup.py")
    options = [
        option
        for extension in extensions
        for option in (*extension.extra_compile_args, *extension.extra_link_args)
    ]
    assert len(extensions) == 3
    assert {option[0] for option in options} == {first_letter}


def test_ale_py_is_required_in_a_version_with_all_arguments():
    """0.11.0 does not know some of those that `mario.vector.atari` gives."""
    config = configparser.ConfigParser()
    config.read(REPOSITORY / "setup.cfg")
    required = map(Requirement, config["options"]["install_requires"].split("\n")[1:])
    (ale,) = (each for each in required if each.name == "ale-py")
    assert "0.11.1" in ale.specifier
    assert "0.11.0" not in ale.specifier
