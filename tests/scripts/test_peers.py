"""The peers are trained for as long as they are told; how well, is not tested."""

from __future__ import annotations

import subprocess

import peers
import pytest

from scripts.curves import rows


@pytest.mark.slow
def test_the_tutorial_is_trained_until_time_is_up_and_saved(tmp_path):
    peers.train_tutorial(tmp_path, minutes=0.75, seed=0)
    (run,) = tmp_path.iterdir()
    assert (run / "last.chkpt").is_file()
    assert rows(run / "metrics.csv")


def test_a_run_that_ends_by_itself_is_no_measurement(tmp_path, monkeypatch):
    monkeypatch.setattr(peers.sys, "executable", "/bin/sh")
    monkeypatch.setattr(peers.Path, "with_name", lambda path, name: "/bin/false")
    with pytest.raises(subprocess.CalledProcessError, match="returned non-zero exit status 1"):
        peers.train_tutorial(tmp_path, minutes=1, seed=0)
