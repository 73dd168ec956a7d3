"""One network is evaluated in the games of several agents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mario.errors import UsageError
from scripts.experiments import evaluate_levels, evaluate_network
from scripts.experiments.evaluate_network import format_table, main, read_summaries

CHECKPOINTS = Path(__file__).resolve().parents[3] / "checkpoints"
AGENTS = [str(CHECKPOINTS / f"mario-{level}.chkpt") for level in ("1-1", "1-4")]


@pytest.fixture(autouse=True)
def one_noise(monkeypatch):
    for module in (evaluate_levels, evaluate_network):
        monkeypatch.setattr(module, "EPSILONS", (0.0,))


def test_the_table_has_the_network_beside_the_agent_of_each_game(tmp_path, monkeypatch):
    evaluate_levels.main([str(tmp_path), *AGENTS, "--episodes", "1", "--held-out"])
    arguments = [str(tmp_path), AGENTS[0], *AGENTS, "--episodes", "1"]
    main(arguments)
    lines = (tmp_path / "one-network.md").read_text().splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| SuperMarioBros-1-1-v0", "| SuperMarioBros-1-4-v0", "| mean",
    ]  # fmt: skip
    experts, network = lines[2].split(" | ")[1:]
    assert network.rstrip(" |") == experts, "here it is the agent of the level itself"
    monkeypatch.setattr(evaluate_network, "evaluate", None)
    main(arguments)
    assert len(json.loads((tmp_path / "one-network.json").read_text())) == 2


def test_missing_evaluations_of_the_agents_are_named(tmp_path):
    with pytest.raises(UsageError, match="no evaluation of SuperMarioBros-1-1-v0 over 100"):
        main([str(tmp_path), AGENTS[0], *AGENTS])


def test_a_rate_that_is_not_known_is_a_dash(tmp_path):
    evaluate_levels.main([str(tmp_path), AGENTS[0], "--episodes", "1", "--held-out"])
    own = read_summaries(tmp_path / "held-out.json", 1)
    assert format_table({}, own).splitlines()[2].startswith("| SuperMarioBros-1-1-v0 | - | ")
