"""Agents are evaluated as on other machines, and their episodes are compared."""

from __future__ import annotations

import json
from pathlib import Path

import evaluate_machines
import pytest
from evaluate_machines import MACHINES, format_table, main

CHECKPOINT = Path(__file__).resolve().parents[3] / "checkpoints" / "mario-1-1.chkpt"


def test_the_table_counts_the_episodes_that_equal_those_of_the_first_machine():
    episodes = [[1, "flag", [0, 1]], [2, "death", [0]]]
    others = [[1, "flag", [0, 1]], [2, "flag", [1]]]
    rows = [
        {"agent": "a", "machine": MACHINES[0].name, "found": {"cleared": 1, "episodes": episodes}},
        {"agent": "a", "machine": MACHINES[1].name, "found": {"cleared": 2, "episodes": others}},
    ]
    assert format_table(rows).splitlines()[2] == "| a | 1 of 2 (2 same) | 2 of 2 (1 same) |"


@pytest.mark.slow
def test_an_agent_plays_the_same_episodes_without_avx_512(tmp_path, monkeypatch):
    machines = MACHINES[0], next(each for each in MACHINES if not each.avx512)
    monkeypatch.setattr(evaluate_machines, "MACHINES", machines)
    main([str(tmp_path), str(CHECKPOINT), "--episodes", "1"])
    rows = json.loads((tmp_path / "machines.json").read_text())
    assert "512" not in rows[1]["found"]["capability"]
    line = (tmp_path / "machines.md").read_text().splitlines()[2]
    assert line == "| mario-1-1 | 1 of 1 (1 same) | 1 of 1 (1 same) |"
    monkeypatch.setattr(evaluate_machines, "play", None)
    main([str(tmp_path), str(CHECKPOINT), "--episodes", "1"])  # everything is known
