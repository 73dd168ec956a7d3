"""T16: the tests of T15 see every entry of the saved state."""

from __future__ import annotations

import shutil

import pytest
import torch
from exact_runs import assert_same_run, config, train

from mario.runs.checkpoint import load


@pytest.mark.slow
def test_t16_every_entry_of_the_state_matters(tmp_path):
    """If any entry were not restored, the runs would differ: the tests above cover all entries."""
    whole = train(config(tmp_path / "whole", steps=300))
    start = train(config(tmp_path / "start", steps=1))
    part = train(config(tmp_path / "parts", steps=150))
    fresh = load(start / "last.chkpt")["resume"]
    entries = [(fresh, name) for name in fresh if name != "callbacks"]
    # Without evaluations and limits, these do not change the run; they have tests of their own.
    stateless = {"progress", "evaluator", "checkpointer", "state check", "time limit"}
    entries += [(fresh["callbacks"], name) for name in fresh["callbacks"].keys() - stateless]
    for group, name in entries:
        copy = tmp_path / name
        shutil.copytree(part, copy)
        checkpoint = load(copy / "last.chkpt")
        state = checkpoint["resume"]
        (state if group is fresh else state["callbacks"])[name] = group[name]
        torch.save(checkpoint, copy / "last.chkpt")
        train(config(tmp_path / "parts", steps=300), copy)
        with pytest.raises(AssertionError):
            assert_same_run(whole, copy)
