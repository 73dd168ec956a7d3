"""The pages are complete and short."""

from __future__ import annotations

import re

import pytest
import yaml
from blocks import ROOT

import mario
from mario.config.presets import preset_names

DOCS = ROOT / "docs"


def test_the_readme_has_under_120_lines():
    assert len((ROOT / "README.md").read_text().splitlines()) < 120


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text()
    for page in DOCS.glob("*.md"):
        assert page.name in navigation, page.name


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset_is_described(preset):
    assert f"| `{preset}` |" in (DOCS / "commands.md").read_text()


@pytest.mark.parametrize("name", mario.__all__)
def test_every_name_of_the_python_api_is_in_its_reference(name):
    reference = re.findall(r"^::: (\S+)$", (DOCS / "python-api.md").read_text(), re.MULTILINE)
    module = mario._MODULES[name]
    assert f"{module}.{name}" in reference or module in reference


def test_links_of_the_readme_lead_to_files():
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / "README.md").read_text())
    assert links
    for link in links:
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_the_site_has_the_name_of_the_project():
    first = (ROOT / "README.md").read_text().splitlines()[0]
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    assert first == f"# {settings['site_name']}"
