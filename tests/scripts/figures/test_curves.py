"""Curves are read from the files of a run."""

from __future__ import annotations

import pytest

from scripts.figures.curves import main, read_curve

EVALUATIONS = """steps_trained,seconds,episodes,clear_rate,mean_return,mean_x_pos
25000,60.0,20,0.0,500.0,600.0
50000,120.0,20,0.55,1500.0,1600.0
75000,240.0,100,0.91,2500.0,2600.0
100000,300.0,20,0.95,2600.0,2700.0
"""
METRICS = """episode,step,env,reward,ending,seconds,start_offset
1,232,0,251.0,death,0.12,0
2,4000,1,251.0,flag,10.0,1
3,30000,6,251.0,flag,90.0,0
4,31000,7,251.0,death,95.0,0
5,32000,3,251.0,death,95.0,0
6,51000,5,251.0,flag,95.0,0
"""


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "evaluations.csv").write_text(EVALUATIONS)
    (folder / "metrics.csv").write_text(METRICS)
    return folder


def test_a_rate_is_reached_at_the_first_evaluation_with_at_least_that_rate(run):
    curve = read_curve(run, "seed 0")
    assert [curve.first_reaching(rate) for rate in (0.5, 0.9, 0.95, 0.96)] == [
        (50_000, 2.0), (75_000, 4.0), (100_000, 5.0), None,
    ]  # fmt: skip


def test_the_first_flag_is_that_of_an_episode_from_the_start_of_the_level(run):
    assert read_curve(run, "seed 0").first_flag == (30_000, 1.5)


def test_the_best_rate_is_among_the_evaluations_with_the_most_episodes(run):
    assert read_curve(run, "seed 0").best == "91% of 100"


def test_flags_in_training_are_counted_in_the_least_exploring_environments(run):
    curve = read_curve(run, "seed 0")
    # environments 4 to 7; episodes of the start curriculum do not count
    assert curve.training_windows == [(0, 0), (1, 2), (1, 1)]
    assert curve.final_training_rate == 2 / 3


def test_a_run_with_one_environment_counts_that_environment(run):
    lines = (run / "metrics.csv").read_text().splitlines()
    rows = [line.split(",") for line in lines]
    (run / "metrics.csv").write_text("\n".join(",".join(row[:2] + row[3:]) for row in rows))
    assert read_curve(run, "seed 0").training_windows == [(0, 1), (1, 3), (1, 1)]


def test_a_table_and_a_plot_are_written(run, tmp_path, capsys):
    out = tmp_path / "out"
    main([str(out), str(run), str(run), "--names", "one", "two"])
    table = capsys.readouterr().out
    assert (out / "curves.md").read_text() == table
    assert (
        "| one | 30k, 2 min | 50k, 2 min | 75k, 4 min | 100k, 5 min | 91% of 100 | 67% |" in table
    )
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_every_run_needs_a_name(run, tmp_path):
    with pytest.raises(SystemExit):
        main([str(tmp_path), str(run), "--names", "one", "two"])
