"""The three commands on an Atari game: train, evaluate, play."""

from __future__ import annotations

import csv
import json

import av
import pytest

from mario.commands import evaluate, play, train
from mario.runs.checkpoint import load

pytest.importorskip("ale_py")


def run(command, *arguments):
    """Call a command; its exit code."""
    with pytest.raises(SystemExit) as leaving:
        command.main([str(each) for each in arguments])
    return leaving.value.code


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that has learned a little of Breakout, and lost some games."""
    folder = tmp_path_factory.mktemp("runs")
    code = run(
        train, "--preset", "breakout", "--steps", 700, "--num-envs", 4, "--save-dir", folder,
        "--hyper.replay-capacity", 400, "--hyper.burnin", 600, "--hyper.batch-size", 8,
        "--evaluation.episodes", 1, "--evaluation.every", 10_000, "--log-every", 1,
    )  # fmt: skip
    assert code == 0
    (made,) = folder.iterdir()
    return made


@pytest.mark.slow
def test_episodes_are_whole_games_with_raw_scores(trained):
    rows = list(csv.DictReader((trained / "metrics.csv").open()))
    assert rows
    assert {row["ending"] for row in rows} == {"game over"}
    assert {row["best_x"] for row in rows} == {""}
    assert all(float(row["reward"]).is_integer() for row in rows)
    assert all(int(row["length"]) > 60 for row in rows)  # five lives


@pytest.mark.slow
def test_an_evaluation_says_nothing_of_levels(trained, capsys):
    assert run(evaluate, trained / "last.chkpt", "--episodes", 2, "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["game"] == "BreakoutNoFrameskip-v4"
    assert not figures.keys() & {"clear_rate", "mean_x_pos", "deaths"}
    assert figures["mean_return"] >= 0
    assert run(evaluate, trained / "last.chkpt", "--episodes", 1) == 0
    assert "clear rate" not in capsys.readouterr().out
    assert load(trained / "last.chkpt")["emulator"] == figures["emulator"] == "ale"


@pytest.mark.slow
def test_a_game_is_filmed(trained, tmp_path, capsys):
    film = tmp_path / "breakout.mp4"
    assert run(play, trained / "best.chkpt", "--record", film) == 0
    assert "Ended by game over" in capsys.readouterr().out
    with av.open(str(film)) as video:
        (stream,) = video.streams.video
        assert stream.width / stream.height == 160 / 210
        assert round(float(stream.average_rate)) == 60
