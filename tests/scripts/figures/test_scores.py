"""Scores are read from the files of a run."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.figures.scores import WINDOW, format_table, main, moving_average, read_scores

HEADER = "episode,step,env,reward,seconds\n"


def write_run(folder, scores):
    """Write the folder of a run with episodes of 50 steps and 36 seconds each."""
    folder.mkdir()
    lines = [f"{n},{50 * n},0,{score},{36 * n}" for n, score in enumerate(scores, 1)]
    (folder / "metrics.csv").write_text(HEADER + "\n".join(lines))
    return folder


def test_the_moving_average_is_that_of_the_latest_values():
    values = np.random.default_rng(0).normal(size=50)
    expected = [values[max(0, end - 7) : end].mean() for end in range(1, 51)]
    assert moving_average(values, 7) == pytest.approx(expected)


def test_scores_have_steps_hours_and_means(tmp_path):
    scores = read_scores(write_run(tmp_path / "run", [-21.0, -19.0]), "Pong")
    assert scores.steps.tolist() == [50, 100]
    assert scores.hours.tolist() == pytest.approx([0.01, 0.02])
    assert scores.means.tolist() == [-21.0, -20.0]


def test_the_best_mean_is_that_of_a_full_window(tmp_path):
    early, late = [21.0] * 10, [-21.0] * (WINDOW - 10) + [3.0] * 30
    scores = read_scores(write_run(tmp_path / "run", early + late), "Pong")
    first, last = (10 * 21 - 90 * 21) / WINDOW, (30 * 3 - 70 * 21) / WINDOW
    assert scores.best == pytest.approx(max(first, last))
    assert "| Pong | 2 | 100 | 0.02 | -20.0 | - |" in format_table(
        [read_scores(write_run(tmp_path / "short", [-21.0, -19.0]), "Pong")]
    )


def test_a_table_and_a_plot_are_written(tmp_path, capsys):
    out, run = tmp_path / "out", write_run(tmp_path / "run", np.full(WINDOW, -20.0))
    main([str(out), str(run), "--names", "Pong, PPO"])
    table = capsys.readouterr().out
    assert (out / "scores.md").read_text() == table
    assert "| Pong, PPO | 100 | 5,000 | 1.00 | -20.0 | -20.0 |" in table
    assert (out / "scores.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_without_episodes_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="no episode of .* has ended; train it for longer"):
        main([str(tmp_path), str(write_run(tmp_path / "run", []))])


def test_every_run_needs_a_name(tmp_path):
    with pytest.raises(SystemExit):
        main([str(tmp_path), "run", "--names", "one", "two"])
