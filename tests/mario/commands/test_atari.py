"""Tests of the three commands on an Atari game."""

from __future__ import annotations

import csv
import json

import av
import pytest

from mario.commands import evaluate, play, train
from mario.runs.checkpoint import load


def run(command, *arguments):
    """Call a command and return its exit code."""
    with pytest.raises(SystemExit) as exit_:
        command.main([str(argument) for argument in arguments])
    return exit_.value.code


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a short run of Breakout with a few finished episodes."""
    folder = tmp_path_factory.mktemp("runs")
    code = run(
        train, "--preset", "breakout", "--steps", 700, "--num-envs", 4, "--save-dir", folder,
        "--hyper.replay-capacity", 400, "--hyper.burnin", 600, "--hyper.batch-size", 8,
        "--evaluation.episodes", 1, "--evaluation.every", 10_000, "--log-every", 1,
    )  # fmt: skip
    assert code == 0
    (run_folder,) = folder.iterdir()
    return run_folder


@pytest.mark.slow
def test_episodes_are_whole_games_with_unclipped_scores(trained):
    rows = list(csv.DictReader((trained / "metrics.csv").open()))
    assert rows
    assert {row["ending"] for row in rows} == {"game over"}
    assert {row["best_x"] for row in rows} == {""}
    assert all(float(row["reward"]).is_integer() for row in rows)
    assert all(int(row["length"]) > 60 for row in rows)  # five lives


@pytest.mark.slow
def test_an_evaluation_has_no_results_about_levels(trained, capsys):
    assert run(evaluate, trained / "last.chkpt", "--episodes", 2, "--json") == 0
    results = json.loads(capsys.readouterr().out)
    assert results["game"] == "BreakoutNoFrameskip-v4"
    assert not results.keys() & {"clear_rate", "mean_x_pos", "deaths"}
    assert results["mean_return"] >= 0
    assert run(evaluate, trained / "last.chkpt", "--episodes", 1) == 0
    assert "clear rate" not in capsys.readouterr().out
    assert load(trained / "last.chkpt")["emulator"] == results["emulator"] == "ale"


@pytest.mark.slow
def test_an_episode_is_recorded(trained, tmp_path, capsys):
    path = tmp_path / "breakout.mp4"
    assert run(play, trained / "best.chkpt", "--record", path) == 0
    assert "Ended by game over" in capsys.readouterr().out
    with av.open(str(path)) as video:
        (stream,) = video.streams.video
        assert stream.width / stream.height == 160 / 210
        assert round(float(stream.average_rate)) == 60
