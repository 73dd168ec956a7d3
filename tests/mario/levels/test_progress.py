"""What a run has reached is read from its files while it trains."""

from __future__ import annotations

import pytest

from mario.levels import LevelList, Status
from mario.levels.progress import format_summary, read_progress

EVALUATIONS = "steps_trained,seconds,episodes,clear_rate,mean_return,mean_x_pos\n"


def test_a_run_that_has_not_begun_has_no_progress(tmp_path):
    assert str(read_progress(tmp_path)) == "no episode has ended yet"


def test_the_latest_row_counts_also_behind_many_others_and_an_incomplete_one(tmp_path):
    rows = "".join(f"{n},{n * 10},0,1.0,{n}\n" for n in range(1, 2000))
    (tmp_path / "metrics.csv").write_text("episode,step,env,reward,seconds\n" + rows + "2000,9")
    assert str(read_progress(tmp_path)) == "19,990 steps in 33.3 minutes"


def test_the_best_evaluation_is_the_clear_rate_or_the_return(tmp_path):
    file = tmp_path / "evaluations.csv"
    file.write_text(EVALUATIONS + "100,6,31,0.5,90,700.5\n200,12,31,0.25,95,600.5\n300")
    assert read_progress(tmp_path).best == "50% cleared"
    file.write_text(EVALUATIONS + "100,6,31,0.0,-20.0,\n200,12,31,0.0,-19.5,\n")
    assert str(read_progress(tmp_path)) == "200 steps in 0.2 minutes - best mean return -19.5"


@pytest.mark.parametrize("content", [b"\xff\xfe\n\xff\n", b"a,b\n1,2\n", b"step,seconds\nx,1\n"])
def test_damaged_files_count_as_no_progress(tmp_path, content):
    for name in ("metrics.csv", "evaluations.csv"):
        (tmp_path / name).write_bytes(content)
    assert str(read_progress(tmp_path)) == "no episode has ended yet"


def test_the_summary_has_a_row_for_each_level(tmp_path):
    levels = LevelList.create(tmp_path, {"A-v0": {}, "Long-v0": {}}, parallel=1, threads=None)
    levels.update(levels.runs[0], Status.COMPLETE)
    (levels.runs[0].path / "evaluations.csv").write_text(EVALUATIONS + "2000,90,31,1.0,9,700\n")
    levels.close()
    assert format_summary(levels).splitlines() == [
        "level    status    best evaluation  steps  minutes  folder",
        f"A-v0     complete  100% cleared     2,000      1.5  {levels.path / 'A-v0'}",
        f"Long-v0  waiting   -                    -        -  {levels.path / 'Long-v0'}",
    ]
