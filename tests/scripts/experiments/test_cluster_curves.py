"""The comparison with a cluster trains each run once, and resumes one that was interrupted."""

from __future__ import annotations

import csv
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.experiments import cluster_curves
from scripts.experiments.cluster_curves import COMPLETE, Run

RUN = Run("PPO on World 1-1", 1000, 0, cluster=True)


@pytest.fixture
def commands(monkeypatch):
    """Replace training by writing the files of a run; return the list of the commands."""
    commands = []

    def train(command, **kwargs):
        commands.append(command[1:])
        if "--save-dir" in command:
            run = Path(command[command.index("--save-dir") + 1]) / "2026-01-01T00-00-00"
            run.mkdir()
            (run / "config.yaml").touch()
            reward = 9.0 if "--cluster" in command else 7.0
            rows = "\n".join(f"{100 * n},{reward + n},1.0" for n in range(3))
            (run / "metrics.csv").write_text(f"step,reward,seconds\n{rows}\n")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(cluster_curves.subprocess, "run", train)
    return commands


def compare(out, *flags):
    cluster_curves.main([str(out), "--pong-steps", "9000", "--mario-steps", "1000", *flags])


def test_each_run_is_trained_with_and_without_a_cluster_and_only_once(tmp_path, commands):
    compare(tmp_path, "--seeds", "3")
    assert [command[command.index("--steps") + 1] for command in commands] == [
        "9000", "9000", "1000", "1000",
    ]  # fmt: skip
    assert ["--cluster" in command for command in commands] == [False, True] * 2
    compare(tmp_path, "--seeds", "3", "5")
    assert len(commands) == 8


def test_runs_can_be_continued_with_more_steps(tmp_path, commands):
    cluster_curves.train(RUN, tmp_path)
    longer = replace(RUN, steps=1500)
    assert cluster_curves.read([longer], tmp_path) == {}
    cluster_curves.train(longer, tmp_path)
    assert commands[1][:2] == ["--steps", "1500"]
    assert "--resume" in commands[1]
    assert longer in cluster_curves.read([longer], tmp_path)


def test_an_interrupted_run_is_resumed(tmp_path, commands):
    cluster_curves.train(RUN, tmp_path)
    (tmp_path / RUN.folder / COMPLETE).unlink()
    assert cluster_curves.read([RUN], tmp_path) == {}
    cluster_curves.train(RUN, tmp_path)
    run = tmp_path / RUN.folder / "2026-01-01T00-00-00"
    assert commands[1] == ["--steps", "1000", "--threads", "1", "--resume", str(run)]
    assert RUN in cluster_curves.read([RUN], tmp_path)


def test_the_table_and_the_rows_name_both_results_of_each_seed(tmp_path, commands, capsys):
    compare(tmp_path, "--seeds", "1")
    assert capsys.readouterr().out.endswith(
        "| REINFORCE on Pong | 9,000 | 1 | 8.0 and 10.0 | 8.0 | 10.0 |\n"
        "| PPO on World 1-1 | 1,000 | 1 | 8.0 and 10.0 | 8.0 | 10.0 |\n\n"
    )
    with (tmp_path / "curves.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[1:4] == [
        ["REINFORCE on Pong", "1", "0", "0", "7.000"],
        ["REINFORCE on Pong", "1", "0", "100", "7.500"],
        ["REINFORCE on Pong", "1", "0", "200", "8.000"],
    ]
    assert len(rows) == 13
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
