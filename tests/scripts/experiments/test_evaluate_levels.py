"""Agents are evaluated with and without random actions, from starts that are known or held out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mario.errors import UsageError
from mario.vector.seeding import stratified_seeds
from scripts.experiments import evaluate_levels
from scripts.experiments.evaluate_levels import HELD_OUT, TRAINED, format_table, main
from wrappers.noop_reset import sample_noops

CHECKPOINT = Path(__file__).resolve().parents[3] / "checkpoints" / "mario-1-1.chkpt"


@pytest.mark.parametrize(
    ("starts", "expected"),
    [(TRAINED, [*range(31), *range(31)]), (HELD_OUT, list(range(300, 400)))],
)
def test_episodes_start_after_each_number_of_noops(starts, expected):
    seeds = stratified_seeds(1, (starts.first, starts.last), episodes=len(expected))
    noops = [
        sample_noops(seeds(starts.seed, 0, episode), starts.last)
        for episode in range(len(expected))
    ]
    assert noops == expected


def test_the_table_has_a_row_for_each_agent_and_known_evaluations_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate_levels, "EPSILONS", (0.0, 0.03))
    main([str(tmp_path), str(CHECKPOINT), "--episodes", "1", "--held-out"])
    rows = json.loads((tmp_path / "held-out.json").read_text())
    assert [row["epsilon"] for row in rows] == [0.0, 0.03]
    assert rows[0]["evaluation"]["episodes"] == 1
    line = (tmp_path / "held-out.md").read_text().splitlines()[2]
    assert line.startswith("| mario-1-1 | SuperMarioBros-1-1-v0 | 237,504 | ")
    assert line.count("1 distinct") == 2
    monkeypatch.setattr(evaluate_levels, "evaluate", None)
    main([str(tmp_path), str(CHECKPOINT), "--episodes", "1", "--held-out"])
    assert json.loads((tmp_path / "held-out.json").read_text()) == rows
    assert "1% random" not in format_table(rows)


def test_a_folder_without_agents_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there are no agents to evaluate"):
        main([str(tmp_path / "out"), str(tmp_path)])
