"""A checkpoint comes back as it was, or is refused; nothing in it is ever run."""

from __future__ import annotations

import errno
import io
import pickle
import random
import resource
import subprocess
import sys
import zipfile

import pytest
import torch

from mario.errors import RunError
from mario.runs import checkpoint
from mario.runs.checkpoint import CheckpointError, halved, is_tutorial, load, save


def example(**changes):
    content = {
        "format": 1,
        "model": {"weight": torch.arange(64.0), "bias": torch.ones(3)},
        "exploration_rate": 0.5,
        "agent": "ddqn",
        "hyper": {"gamma": 0.9},
        "game": "SuperMarioBros-1-1-v0",
        "actions": "tutorial",
        "wrappers": {"skip": 4},
        "emulator": "nes-py",
        "state_shape": [4, 84, 84],
        "num_actions": 2,
        "steps": 10,
        "episodes": 1,
        "seed": 0,
        "versions": {},
    }
    return content | changes


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def test_what_is_saved_is_loaded(tmp_path):
    save(tmp_path / "a.chkpt", example())
    assert same(load(tmp_path / "a.chkpt"), example())


def test_a_file_in_half_precision_is_small_and_comes_out_single(tmp_path):
    content = example(model={"weight": torch.linspace(-1, 1, 4096), "count": torch.tensor(3)})
    save(tmp_path / "a.chkpt", content | {"resume": {"steps": 1}})
    save(tmp_path / "b.chkpt", halved(content | {"resume": {"steps": 1}}))
    read = load(tmp_path / "b.chkpt")
    assert {name: tensor.dtype for name, tensor in read["model"].items()} == {
        "weight": torch.float32, "count": torch.int64,
    }  # fmt: skip
    torch.testing.assert_close(read["model"], content["model"], rtol=1e-3, atol=1e-6)
    assert same(read | {"model": 0}, content | {"model": 0})
    sizes = [(tmp_path / name).stat().st_size for name in ("a.chkpt", "b.chkpt")]
    assert sizes[0] - sizes[1] >= 2 * 4096


def test_weights_too_great_for_half_precision_are_not_written(tmp_path):
    with pytest.raises(RunError, match="weight weight is not finite"):
        save(tmp_path / "a.chkpt", halved(example(model={"weight": torch.tensor([1e6])})))


def test_a_tutorial_file_has_only_two_keys(tmp_path):
    torch.save({"model": {"w": torch.ones(2)}, "exploration_rate": 1}, tmp_path / "t.chkpt")
    assert is_tutorial(load(tmp_path / "t.chkpt"))


def test_a_tutorial_file_of_an_old_torch_loads_too(tmp_path):
    old = {"model": {"w": torch.ones(2)}, "exploration_rate": 0.1}
    torch.save(old, tmp_path / "t.chkpt", _use_new_zipfile_serialization=False)
    assert load(tmp_path / "t.chkpt")["exploration_rate"] == 0.1


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_neither_written_nor_read(tmp_path, bad):
    content = example(model={"weight": torch.tensor([1.0, bad])})
    with pytest.raises(RunError, match="weight weight is not finite"):
        save(tmp_path / "a.chkpt", content)
    assert list(tmp_path.iterdir()) == []
    torch.save(content, tmp_path / "b.chkpt")
    with pytest.raises(CheckpointError, match="not finite: weight"):
        load(tmp_path / "b.chkpt")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"format": 99}, "format 99, this version reads 1; install the version that wrote it"),
        ({"game": 7}, "no usable 'game'"),
        ({"model": [1]}, "no usable 'model'"),
        ({"state_shape": None}, "no usable 'state_shape'"),
        ({"exploration_rate": float("nan")}, "not finite: exploration_rate"),
    ],
)
def test_content_that_makes_no_sense_is_refused(tmp_path, changes, complaint):
    torch.save(example(**changes), tmp_path / "a.chkpt")
    with pytest.raises(CheckpointError, match=complaint):
        load(tmp_path / "a.chkpt")


@pytest.mark.parametrize("content", [[1, 2], {"model": {}}, torch.ones(3)])
def test_an_archive_of_something_else_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "a.chkpt")
    with pytest.raises(CheckpointError, match="has no model and exploration_rate"):
        load(tmp_path / "a.chkpt")


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"nowhere.chkpt does not exist; give the path"):
        load(tmp_path / "nowhere.chkpt")
    with pytest.raises(CheckpointError, match="is a folder"):
        load(tmp_path)


def test_a_truncated_file_is_refused_wherever_it_was_cut(tmp_path):
    save(tmp_path / "a.chkpt", example())
    whole = (tmp_path / "a.chkpt").read_bytes()
    for length in {0, 1, 2, 100, len(whole) // 2, len(whole) - 1, *range(0, len(whole), 97)}:
        (tmp_path / "b.chkpt").write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"b\.chkpt"):
            load(tmp_path / "b.chkpt")


def test_a_flipped_bit_is_refused_wherever_it_is(tmp_path):
    save(tmp_path / "a.chkpt", example())
    whole = (tmp_path / "a.chkpt").read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << random.Random(place).randrange(8)
        (tmp_path / "b.chkpt").write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"b\.chkpt"):
            load(tmp_path / "b.chkpt")


def test_a_flipped_bit_in_the_weights_of_a_tutorial_file_is_refused(tmp_path):
    """It has no digest, but the archive's CRCs."""
    torch.save({"model": {"w": torch.arange(64.0)}, "exploration_rate": 1.0}, tmp_path / "t.chkpt")
    whole = (tmp_path / "t.chkpt").read_bytes()
    data = torch.arange(64.0).numpy().tobytes()
    start = whole.index(data)
    for place in range(start, start + len(data)):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        (tmp_path / "b.chkpt").write_bytes(damaged)
        with pytest.raises(CheckpointError, match="differs from its CRC"):
            load(tmp_path / "b.chkpt")


class Evil:
    """Unpickled carelessly, it makes a file."""

    def __init__(self, canary):
        self.canary = str(canary)

    def __reduce__(self):
        return open, (self.canary, "w")


def hostile_files(folder, canary):
    evil = pickle.dumps(Evil(canary))
    torch.save({"model": Evil(canary), "exploration_rate": 0.1}, folder / "zip.chkpt")
    torch.save(
        {"model": Evil(canary), "exploration_rate": 0.1},
        folder / "legacy.chkpt",
        _use_new_zipfile_serialization=False,
    )
    (folder / "pickle.chkpt").write_bytes(evil)
    with zipfile.ZipFile(folder / "slip.chkpt", "w") as archive:
        archive.writestr("../../data.pkl", evil)
    with zipfile.ZipFile(folder / "bomb.chkpt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10**7))
    with zipfile.ZipFile(folder / "script.chkpt", "w") as archive:
        archive.writestr("archive/constants.pkl", evil)
        archive.writestr("archive/data.pkl", evil)
        archive.writestr("archive/version", "3")
    (folder / "text.chkpt").write_text("weights")
    return sorted(folder.glob("*.chkpt"))


def test_hostile_files_are_refused_and_nothing_in_them_runs(tmp_path):
    canary = tmp_path / "canary"
    files = hostile_files(tmp_path, canary)
    assert len(files) == 7
    for file in files:
        with pytest.raises(CheckpointError, match=file.name):
            load(file)
        assert not canary.exists(), f"{file.name} ran its code"


def test_the_canary_would_sing(tmp_path):
    """The test above means something only if the payload works."""
    pickle.loads(pickle.dumps(Evil(tmp_path / "canary"))).close()
    assert (tmp_path / "canary").exists()


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path):
    save(tmp_path / "a.chkpt", example())
    script = (
        "import resource, signal, sys, torch\n"
        "from pathlib import Path\n"
        "from mario.runs.checkpoint import load, save\n"
        "path = Path(sys.argv[1])\n"
        "content = load(path)\n"
        "content['model'] = {'weight': torch.zeros(10**6)}\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10**5, 10**5))\n"
        "try:\n"
        "    save(path, content)\n"
        "except OSError as error:\n"
        "    print('refused', error.errno)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.chkpt")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["refused", str(errno.EFBIG)], done.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 10**5
    assert same(load(tmp_path / "a.chkpt"), example())
    assert [path.name for path in tmp_path.iterdir()] == ["a.chkpt"]


def test_a_writer_that_fails_half_way_is_an_os_error(tmp_path, monkeypatch):
    def full(content, file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint.torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        save(tmp_path / "a.chkpt", example())
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_an_archive_that_torch_alone_can_read(tmp_path):
    save(tmp_path / "a.chkpt", example())
    content = torch.load(io.BytesIO((tmp_path / "a.chkpt").read_bytes()), weights_only=True)
    assert {"model", "exploration_rate"} <= content.keys()
