"""T3: damage any file of a run folder in any way; the run resumes, or stops with one line.

Nothing else is changed: files that were good are good afterwards, and no file outside is touched.
"""

from __future__ import annotations

import random
import shutil

import pytest
from damage import KINDS, damage
from short_runs import config, train

from mario.commands.train import read_flags
from mario.errors import UsageError
from mario.runs.checkpoint import load

FILES = (
    "last.chkpt", "previous.chkpt", "mario_net_0.chkpt", "config.yaml", "lock", "log",
    "metrics.csv", "warnings.csv", "evaluations.csv", "reward_plot.jpg", "memory/frame.memmap",
    "memory/stamp.memmap", "memory/checksum.memmap", "memory/reward.memmap",
)  # fmt: skip
CASES = [(file, kind) for file in FILES for kind in KINDS]
IN_CI = random.Random(1).sample(CASES, 16)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with all files, which was saved after 100 and after 120 steps."""
    folder = tmp_path_factory.mktemp("runs")
    path = train(config(folder, steps=100))
    train(config(folder, steps=120), path)
    for name in ("warnings.csv", "evaluations.csv"):
        (path / name).touch()
    return path


def resume_with_damage(run, folder, file, kind, capsys):
    copy = folder / "run"
    shutil.copytree(run, copy)
    (folder / "outside").write_text("precious")
    damage(copy / file, kind)
    try:
        train(*read_flags(["--resume", str(copy), "--steps", "130"]))
        error = None
    except UsageError as refusal:
        error = str(refusal)
    assert (folder / "outside").read_text() == "precious"
    return copy, error, capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(("file", "kind"), [case for case in CASES if case not in IN_CI])
def test_every_damage_is_survived_or_refused(run, tmp_path, capsys, file, kind):
    check(run, tmp_path, capsys, file, kind)


@pytest.mark.parametrize(("file", "kind"), IN_CI)
def test_damage_is_survived_or_refused(run, tmp_path, capsys, file, kind):
    check(run, tmp_path, capsys, file, kind)


def check(run, tmp_path, capsys, file, kind):
    copy, error, output = resume_with_damage(run, tmp_path, file, kind, capsys)
    if error is not None:
        assert "\n" not in error
        assert file.rpartition("/")[2] in error or "memory" in error
        assert kind in ("link", "folder") or file == "config.yaml", error
        return
    assert load(copy / "last.chkpt")["steps"] >= 130
    if file == "last.chkpt":
        assert "Resumed after" in output
        assert kind == "removed" or "using previous.chkpt instead" in output
    if file.startswith("memory"):
        assert "has lost rows" in output
    if file in ("log", "metrics.csv") and kind not in ("removed", "unreadable"):
        assert file in output


@pytest.mark.parametrize(
    ("before", "after"),
    [("seed: 3", "seed: 7"), ("gamma: 0.9", "gamma: 0.8"), ("skip: 4", "skip: 5")],
)
def test_a_changed_configuration_is_noticed(run, tmp_path, before, after):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    text = (copy / "config.yaml").read_text()
    assert before in text
    (copy / "config.yaml").write_text(text.replace(before, after))
    with pytest.raises(UsageError, match=r"config\.yaml has .*, but the run was saved with .*"):
        train(*read_flags(["--resume", str(copy), "--steps", "130"]))
