"""How scores grew is told from a run's own files."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.scores import WINDOW, latest_means, main, read, table

HEAD = "episode,step,game,reward,seconds\n"


def run_of(folder, scores):
    """A folder as training leaves it, of games that took 50 decisions and 36 seconds each."""
    folder.mkdir()
    lines = [f"{n},{50 * n},0,{score},{36 * n}" for n, score in enumerate(scores, 1)]
    (folder / "metrics.csv").write_text(HEAD + "\n".join(lines))
    return folder


def test_means_are_of_the_latest_scores():
    numbers = np.random.default_rng(0).normal(size=50)
    expected = [numbers[max(0, end - 7) : end].mean() for end in range(1, 51)]
    assert latest_means(numbers, 7) == pytest.approx(expected)


def test_a_run_is_told_by_games_decisions_and_hours(tmp_path):
    scores = read(run_of(tmp_path / "run", [-21.0, -19.0]), "Pong")
    assert scores.steps.tolist() == [50, 100]
    assert scores.hours.tolist() == pytest.approx([0.01, 0.02])
    assert scores.means.tolist() == [-21.0, -20.0]


def test_the_best_is_of_as_many_games_as_a_mean_is_of(tmp_path):
    early, late = [21.0] * 10, [-21.0] * (WINDOW - 10) + [3.0] * 30
    scores = read(run_of(tmp_path / "run", early + late), "Pong")
    first, last = (10 * 21 - 90 * 21) / WINDOW, (30 * 3 - 70 * 21) / WINDOW
    assert scores.best == pytest.approx(max(first, last))
    assert "| Pong | 2 | 100 | 0.02 | -20.0 | - |" in table(
        [read(run_of(tmp_path / "short", [-21.0, -19.0]), "Pong")]
    )


def test_a_table_and_a_picture_are_written(tmp_path, capsys):
    out, run = tmp_path / "out", run_of(tmp_path / "run", np.full(WINDOW, -20.0))
    main([str(out), str(run), "--names", "Pong, PPO"])
    told = capsys.readouterr().out
    assert (out / "scores.md").read_text() == told
    assert "| Pong, PPO | 100 | 5,000 | 1.00 | -20.0 | -20.0 |" in told
    assert (out / "scores.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_without_a_game_says_so(tmp_path):
    with pytest.raises(SystemExit, match="no game of .* has ended; train it further"):
        main([str(tmp_path), str(run_of(tmp_path / "run", []))])


def test_names_are_as_many_as_runs(tmp_path):
    with pytest.raises(SystemExit):
        main([str(tmp_path), "run", "--names", "one", "two"])
