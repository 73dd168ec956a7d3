"""An ablation resumes after an interruption, and reports all of its runs."""

from __future__ import annotations

import json

import pytest

from scripts.experiments import ablate


@pytest.fixture
def trained(monkeypatch):
    """Replace training by writing the files of a run; return the list of the calls."""
    calls = []

    def train(folder, steps, seed, flags):
        calls.append((folder.parent.name, seed, list(flags)))
        run = folder / "2026-01-01T00-00-00"
        run.mkdir(parents=True)
        (run / "config.yaml").touch()
        rate = 0.5 if not flags else 0.25
        (run / "evaluations.csv").write_text(
            "steps_trained,seconds,episodes,clear_rate,mean_return,mean_x_pos\n"
            f"{steps},60.0,20,{rate},500.0,600.0\n"
        )
        ending = "death" if flags else "flag"
        (run / "metrics.csv").write_text(
            "episode,step,env,reward,ending,seconds,start_offset,best_x\n"
            f"1,{steps // 2},7,200.0,flag,30.0,1,9000\n"
            f"2,{steps},7,200.0,{ending},36.0,0,{700 + seed}\n"
        )

    monkeypatch.setattr(ablate, "train", train)
    return calls


def run(tmp_path, *arguments):
    ablate.main([str(tmp_path / "out"), str(tmp_path / "runs"), "--steps", "1000", *arguments])
    return (tmp_path / "out" / "ablation.md").read_text().splitlines()


def test_the_table_has_a_row_per_variant_and_a_value_per_seed(tmp_path, trained):
    lines = run(tmp_path, "--only", "1-step returns", "preset", "--seeds", "3", "5")
    assert sorted(trained) == [
        ("1-step-returns", 3, ["--hyper.n-step", "1"]),
        ("1-step-returns", 5, ["--hyper.n-step", "1"]),
        ("preset", 3, []),
        ("preset", 5, []),
    ]
    assert lines[4:] == [
        "| preset | 1 / 1 | 50% / 50% | 100% / 100% | 703 / 705 | 0.01 / 0.01 |",
        "| 1-step returns | - / - | 25% / 25% | 0% / 0% | 703 / 705 | 0.01 / 0.01 |",
    ]
    assert (tmp_path / "out" / "ablation.png").read_bytes().startswith(b"\x89PNG")


def test_known_outcomes_are_reported_and_not_trained_again(tmp_path, trained):
    run(tmp_path, "--only", "preset", "--seeds", "0")
    trained.clear()
    lines = run(tmp_path, "--only", "preset", "256 hidden units", "--seeds", "0", "1")
    assert sorted(call[:2] for call in trained) == [
        ("256-hidden-units", 0), ("256-hidden-units", 1), ("preset", 1),
    ]  # fmt: skip
    assert [line.split(" |")[0] for line in lines[4:]] == ["| preset", "| 256 hidden units"]


def test_the_folders_of_finished_runs_can_be_deleted(tmp_path, trained):
    before = run(tmp_path, "--only", "preset")
    content = json.loads((tmp_path / "out" / "outcomes.json").read_text())
    assert [outcome["seed"] for outcome in content["outcomes"]] == [0, 1]
    (tmp_path / "runs").rename(tmp_path / "gone")
    assert run(tmp_path, "--only", "preset") == before


def test_outcomes_of_removed_variants_are_still_reported(tmp_path, trained, monkeypatch):
    run(tmp_path, "--only", "256 hidden units", "--seeds", "0")
    monkeypatch.delitem(ablate.VARIANTS, "256 hidden units")
    lines = run(tmp_path, "--only", "preset", "--seeds", "0")
    assert [line.split(" |")[0] for line in lines[4:]] == ["| preset", "| 256 hidden units"]


def test_runs_with_another_number_of_steps_are_refused(tmp_path, trained):
    run(tmp_path, "--only", "preset")
    with pytest.raises(
        SystemExit, match="has runs of 1,000 steps, got --steps 2000; give --steps 1000"
    ):
        run(tmp_path, "--only", "preset", "--steps", "2000")


def test_a_failing_run_does_not_lose_finished_outcomes(tmp_path, trained, monkeypatch):
    train = ablate.train

    def fail_after_first_seed(folder, steps, seed, flags):
        if seed:
            raise OSError("disk full")
        train(folder, steps, seed, flags)

    monkeypatch.setattr(ablate, "train", fail_after_first_seed)
    with pytest.raises(OSError, match="disk full"):
        run(tmp_path, "--only", "preset", "--seeds", "0", "1", "--jobs", "1")
    content = json.loads((tmp_path / "out" / "outcomes.json").read_text())
    assert [outcome["seed"] for outcome in content["outcomes"]] == [0]


def test_every_variant_has_valid_flags():
    from mario.commands.train import read_flags

    for flags in ablate.VARIANTS.values():
        read_flags(["--preset", "mario", *flags])
