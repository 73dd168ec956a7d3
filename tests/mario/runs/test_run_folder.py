"""A run folder is created once, used by one process, and never loses its last good checkpoint."""

from __future__ import annotations

import datetime
import errno

import pytest
import torch
from damage import damage

import mario.runs.run_folder
from mario.errors import UsageError
from mario.runs import checkpoint
from mario.runs.checkpoint import FORMAT, load
from mario.runs.run_folder import RunFolder

NOW = datetime.datetime(2026, 11, 21, 9, 5, 7)


def example(steps):
    plain = dict.fromkeys(("steps", "episodes", "seed", "num_actions"), steps)
    names = dict.fromkeys(("agent", "game", "actions", "emulator"), "x")
    nested = {
        key: {} for key in ("hyper", "wrappers", "start_curriculum", "ending_reward", "versions")
    }
    weights = {"w": torch.full((1000,), float(steps))}
    base = {"format": FORMAT, "model": weights, "exploration_rate": 1.0, "state_shape": [1]}
    return base | plain | names | nested | {"resume": {"steps": steps}}


def fail_with_full_disk(path, write, **options):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def run(tmp_path):
    run = RunFolder.create(tmp_path / "runs", {"game": "x"}, NOW)
    yield run
    run.close()


def test_a_run_folder_is_named_after_its_start_time(run):
    assert run.path.name == "2026-11-21T09-05-07"
    assert RunFolder.read_config(run.path) == {"game": "x"}


def test_the_configuration_can_be_replaced(run, monkeypatch):
    run.write_config({"game": "x", "steps": 5})
    assert RunFolder.read_config(run.path) == {"game": "x", "steps": 5}
    monkeypatch.setattr(mario.runs.run_folder, "write_atomically", fail_with_full_disk)
    with pytest.raises(UsageError, match=r"cannot write in .*: No space left"):
        run.write_config({"game": "x"})


def test_two_runs_started_in_the_same_second_get_separate_folders(run):
    other = RunFolder.create(run.path.parent, {}, NOW)
    assert other.path.name == "2026-11-21T09-05-07-2"
    other.close()


def test_a_hundred_runs_started_in_the_same_second_get_separate_folders(tmp_path):
    (tmp_path / "2026-11-21T09-05-07").mkdir()
    for number in range(2, 150):
        (tmp_path / f"2026-11-21T09-05-07-{number}").mkdir()
    run = RunFolder.create(tmp_path, {}, NOW)
    assert run.path.name == "2026-11-21T09-05-07-150"
    run.close()


@pytest.mark.parametrize("name", ["lock", "log", "metrics.csv", "warnings.csv", "evaluations.csv"])
@pytest.mark.parametrize("kind", ["symlink_to", "hardlink_to"])
def test_a_link_to_a_file_outside_is_refused(tmp_path, name, kind):
    (tmp_path / "outside").write_text("precious")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.yaml").touch()
    getattr(folder / name, kind)(tmp_path / "outside")
    with pytest.raises(UsageError, match=f"{name} is a link, and writing to it would change other"):
        RunFolder.open(folder)
    assert (tmp_path / "outside").read_text() == "precious"


def test_replacing_a_file_does_not_follow_a_link(run, tmp_path):
    (tmp_path / "outside").write_text("precious")
    for name in ("last.chkpt", "previous.chkpt", "best.chkpt", "mario_net_0.chkpt", "config.yaml"):
        (run.path / name).unlink(missing_ok=True)
        (run.path / name).symlink_to(tmp_path / "outside")
    run.save_last(example(1))
    run.save_last(example(2))
    run.save_best(example(2))
    run.save_numbered(0, example(2))
    run.write_config({})
    assert (tmp_path / "outside").read_text() == "precious"
    assert not any(path.is_symlink() for path in run.path.glob("*.chkpt"))


def test_a_folder_of_another_user_is_noticed(run, monkeypatch):
    assert run.describe_owner() == ""
    monkeypatch.setattr("os.geteuid", lambda: run.path.stat().st_uid + 1)
    assert ("belongs to another user" in run.describe_owner()) == (run.path.stat().st_uid != 0)


def test_the_previous_checkpoint_is_kept(run):
    for steps in (1, 2, 3):
        run.save_last(example(steps))
    assert load(run.path / "last.chkpt")["steps"] == 3
    assert load(run.path / "previous.chkpt")["steps"] == 2
    checkpoint, skipped = run.load_last()
    assert checkpoint["steps"] == 3
    assert skipped == []


@pytest.mark.parametrize("kind", ["truncated", "flipped", "zeroed", "empty"])
def test_a_damaged_last_checkpoint_falls_back_to_the_previous_one_and_is_reported(run, kind):
    for steps in (1, 2):
        run.save_last(example(steps))
    damage(run.path / "last.chkpt", kind)
    checkpoint, skipped = run.load_last()
    assert checkpoint["steps"] == 1
    assert len(skipped) == 1
    assert "renamed to last.chkpt.damaged, using previous.chkpt instead" in skipped[0]


@pytest.mark.parametrize("kind", ["truncated", "flipped", "empty", "folder", "link", "unreadable"])
@pytest.mark.parametrize("resumed", [True, False])
def test_a_damaged_last_checkpoint_never_replaces_the_previous_one(run, kind, resumed):
    """It may be damaged before a resume, or between two saves of one session."""
    for steps in (1, 2):
        run.save_last(example(steps))
    damage(run.path / "last.chkpt", kind)
    if resumed:
        assert run.load_last()[0]["steps"] == 1
    report = run.save_last(example(3))
    assert resumed or "last.chkpt" in report
    assert load(run.path / "previous.chkpt")["steps"] == 1
    assert load(run.path / "last.chkpt")["steps"] == 3
    assert (run.path / "last.chkpt.damaged").exists() or kind == "link"
    assert run.save_last(example(4)) is None
    assert load(run.path / "previous.chkpt")["steps"] == 3


def test_a_save_that_fails_after_damage_leaves_a_good_checkpoint(run, monkeypatch):
    for steps in (1, 2):
        run.save_last(example(steps))
    damage(run.path / "last.chkpt", "flipped")
    monkeypatch.setattr(checkpoint, "write_atomically", fail_with_full_disk)
    with pytest.raises(OSError, match="No space"):
        run.save_last(example(3))
    assert run.load_last()[0]["steps"] == 1


def test_a_missing_last_checkpoint_falls_back_to_the_previous_one(run):
    for steps in (1, 2):
        run.save_last(example(steps))
    (run.path / "last.chkpt").unlink()
    assert run.load_last()[0]["steps"] == 1


def test_a_run_without_usable_checkpoints_is_an_error_and_never_starts_over(run):
    for steps in (1, 2):
        run.save_last(example(steps))
    for name in ("last.chkpt", "previous.chkpt"):
        (run.path / name).write_bytes(b"gone")
    with pytest.raises(UsageError, match="no usable checkpoint is left to resume from"):
        run.load_last()


def test_a_run_with_only_numbered_checkpoints_cannot_be_resumed(run):
    run.save_numbered(0, example(5))
    with pytest.raises(UsageError, match=r"has lost its last\.chkpt"):
        run.load_last()


def test_a_run_stopped_before_its_first_save_has_no_checkpoint(run):
    assert run.load_last() == (None, [])


def test_temporary_files_of_a_killed_process_are_removed(run):
    folder = run.path
    (folder / ".tmp-123-last.chkpt").write_bytes(b"half")
    run.close()
    again = RunFolder.open(folder)
    assert not list(folder.glob(".tmp-*"))
    again.close()
    run._lock = RunFolder.open(folder)._lock


def test_a_run_folder_can_be_opened_by_a_checkpoint_in_it(run):
    run.save_last(example(1))
    folder = run.path
    run.close()
    again = RunFolder.open(folder / "last.chkpt")
    assert again.path == folder
    run._lock = again._lock


@pytest.mark.parametrize("where", ["", "nowhere"])
def test_a_folder_that_is_not_a_run_is_refused(tmp_path, where):
    with pytest.raises(UsageError, match=r"is not a run: it has no config\.yaml; give the folder"):
        RunFolder.open(tmp_path / where)


@pytest.mark.parametrize("text", ["a: [", "- 1", "\x00"])
def test_a_damaged_configuration_is_refused(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(UsageError, match="cannot read"):
        RunFolder.read_config(tmp_path)


def test_reading_a_configuration_never_executes_code(tmp_path):
    (tmp_path / "config.yaml").write_text("!!python/object/apply:os.mkdir [evil]")
    with pytest.raises(UsageError, match="it is damaged"):
        RunFolder.read_config(tmp_path)


def test_a_full_disk_leaves_no_folder_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(mario.runs.run_folder, "write_atomically", fail_with_full_disk)
    with pytest.raises(UsageError, match=r"cannot write in .*: No space left.*save_dir"):
        RunFolder.create(tmp_path, {}, NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_created_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot make .*file.*; choose another save_dir"):
        RunFolder.create(tmp_path / "file", {}, NOW)
