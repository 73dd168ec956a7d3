"""The build options of each compiler."""

from __future__ import annotations

import platform
import runpy
from pathlib import Path

import pytest
import setuptools

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
