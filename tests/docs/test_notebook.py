"""The notebook runs: it trains, shows plots and plays clips."""

from __future__ import annotations

import re

import nbformat
import pytest
from blocks import ROOT
from nbclient import NotebookClient

NOTEBOOK = ROOT / "docs" / "first-agent.ipynb"
PARAMETERS = f"SECONDS = 10\nCLIP_SECONDS = 1\nCHECKPOINTS = {str(ROOT / 'checkpoints')!r}"


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """The code cells after a run with other parameters, which takes less time."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    (parameters,) = [cell for cell in notebook.cells if cell.metadata.get("tags") == ["parameters"]]
    parameters.source = PARAMETERS
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(cells, kind):
    """Return the outputs of a MIME type."""
    shown = [output.get("data", {}) for cell in cells for output in cell.outputs]
    return [data[kind] for data in shown if kind in data]


@pytest.mark.slow
def test_the_notebook_shows_plots_and_plays_clips(cells):
    assert len(outputs(cells, "image/jpeg")) == 4
    assert [html[:6] for html in outputs(cells, "text/html")] == ["<video", "<video"]


@pytest.mark.slow
def test_the_agents_are_evaluated(cells):
    text = "".join(output.get("text", "") for output in cells[-1].outputs)
    untrained, trained = map(int, re.findall(r"mean distance: (\d+)", text))
    assert untrained <= trained
    assert "237,504 steps: 100% cleared" in text


def test_the_committed_notebook_has_no_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
