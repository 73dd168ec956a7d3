"""Tests of training peers for a given time; their results are not tested."""

from __future__ import annotations

import subprocess
import sys

import peers
import pytest

from scripts.figures.curves import read_rows


@pytest.mark.slow
def test_a_preset_is_trained_for_the_given_time_and_saved(tmp_path):
    peers.train_preset(tmp_path, "tutorial", minutes=0.75, seed=0)
    (run,) = tmp_path.iterdir()
    assert (run / "last.chkpt").is_file()
    assert read_rows(run / "metrics.csv")


def test_a_run_that_ends_early_is_an_error(tmp_path, monkeypatch):
    program = tmp_path / "mario-train"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(subprocess.CalledProcessError, match="returned non-zero exit status 1"):
        peers.train_preset(tmp_path, "tutorial", minutes=1, seed=0)
