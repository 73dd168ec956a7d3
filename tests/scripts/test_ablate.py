"""An ablation goes on where it was stopped, and tells of all runs it ever had."""

from __future__ import annotations

import json

import pytest

from scripts import ablate


@pytest.fixture
def trained(monkeypatch):
    """Stands in for training: writes what a run of so many decisions would leave, and lists it."""
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
        ends = "death" if flags else "flag"
        (run / "metrics.csv").write_text(
            "episode,step,game,reward,ending,seconds,revisited,best_x\n"
            f"1,{steps // 2},7,200.0,flag,30.0,1,9000\n"
            f"2,{steps},7,200.0,{ends},36.0,0,{700 + seed}\n"
        )

    monkeypatch.setattr(ablate, "train", train)
    return calls


def run(tmp_path, *arguments):
    ablate.main([str(tmp_path / "out"), str(tmp_path / "runs"), "--steps", "1000", *arguments])
    return (tmp_path / "out" / "ablation.md").read_text().splitlines()


def test_a_row_for_each_variant_and_a_figure_for_each_seed(tmp_path, trained):
    lines = run(tmp_path, "--only", "1-step returns", "recipe", "--seeds", "3", "5")
    assert sorted(trained) == [
        ("1-step-returns", 3, ["--hyper.n-step", "1"]),
        ("1-step-returns", 5, ["--hyper.n-step", "1"]),
        ("recipe", 3, []),
        ("recipe", 5, []),
    ]
    assert lines[4:] == [
        "| recipe | 1 / 1 | 50% / 50% | 100% / 100% | 703 / 705 | 0.01 / 0.01 |",
        "| 1-step returns | - / - | 25% / 25% | 0% / 0% | 703 / 705 | 0.01 / 0.01 |",
    ]
    assert (tmp_path / "out" / "ablation.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_known_is_told_of_and_not_made_again(tmp_path, trained):
    run(tmp_path, "--only", "recipe", "--seeds", "0")
    trained.clear()
    lines = run(tmp_path, "--only", "recipe", "256 hidden units", "--seeds", "0", "1")
    assert sorted(call[:2] for call in trained) == [
        ("256-hidden-units", 0), ("256-hidden-units", 1), ("recipe", 1),
    ]  # fmt: skip
    assert [line.split(" |")[0] for line in lines[4:]] == ["| recipe", "| 256 hidden units"]


def test_outcomes_are_enough_without_the_folders_of_the_runs(tmp_path, trained):
    before = run(tmp_path, "--only", "recipe")
    kept = json.loads((tmp_path / "out" / "outcomes.json").read_text())
    assert [each["seed"] for each in kept["outcomes"]] == [0, 1]
    (tmp_path / "runs").rename(tmp_path / "gone")
    assert run(tmp_path, "--only", "recipe") == before


def test_what_is_no_longer_a_variant_is_still_told_of(tmp_path, trained, monkeypatch):
    run(tmp_path, "--only", "256 hidden units", "--seeds", "0")
    monkeypatch.delitem(ablate.VARIANTS, "256 hidden units")
    lines = run(tmp_path, "--only", "recipe", "--seeds", "0")
    assert [line.split(" |")[0] for line in lines[4:]] == ["| recipe", "| 256 hidden units"]


def test_runs_of_another_length_are_not_mixed_in(tmp_path, trained):
    run(tmp_path, "--only", "recipe")
    with pytest.raises(SystemExit, match="of runs of 1,000 decisions; give --steps 1000"):
        run(tmp_path, "--only", "recipe", "--steps", "2000")


def test_what_fails_takes_nothing_that_is_known(tmp_path, trained, monkeypatch):
    good = ablate.train

    def fails(folder, steps, seed, flags):
        if seed:
            raise OSError("no room")
        good(folder, steps, seed, flags)

    monkeypatch.setattr(ablate, "train", fails)
    with pytest.raises(OSError, match="no room"):
        run(tmp_path, "--only", "recipe", "--seeds", "0", "1", "--jobs", "1")
    kept = json.loads((tmp_path / "out" / "outcomes.json").read_text())
    assert [each["seed"] for each in kept["outcomes"]] == [0]


def test_every_variant_is_understood_by_the_command():
    from mario.commands.train import read_flags

    for flags in ablate.VARIANTS.values():
        read_flags(["--preset", "mario", *flags])
