"""A checkpoint is loaded unchanged or refused, and loading never executes code from it."""

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
from mario.runs.checkpoint import FORMAT, is_tutorial, load, save, to_float16
from mario.runs.file_kind import CheckpointError


def example(**changes):
    content = {
        "format": FORMAT,
        "model": {"weight": torch.arange(64.0), "bias": torch.ones(3)},
        "exploration_rate": 0.5,
        "agent": "ddqn",
        "hyper": {"gamma": 0.9},
        "game": "SuperMarioBros-1-1-v0",
        "actions": "tutorial",
        "wrappers": {"skip": 4},
        "start_curriculum": {},
        "ending_reward": {},
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


def test_a_saved_checkpoint_is_loaded_unchanged(tmp_path):
    save(tmp_path / "a.chkpt", example())
    assert same(load(tmp_path / "a.chkpt"), example())


def test_float16_weights_take_half_the_space_and_are_loaded_as_float32(tmp_path):
    content = example(model={"weight": torch.linspace(-1, 1, 4096), "count": torch.tensor(3)})
    save(tmp_path / "a.chkpt", content | {"resume": {"steps": 1}})
    save(tmp_path / "b.chkpt", to_float16(content | {"resume": {"steps": 1}}))
    read = load(tmp_path / "b.chkpt")
    assert {name: tensor.dtype for name, tensor in read["model"].items()} == {
        "weight": torch.float32, "count": torch.int64,
    }  # fmt: skip
    torch.testing.assert_close(read["model"], content["model"], rtol=1e-3, atol=1e-6)
    assert same(read | {"model": 0}, content | {"model": 0})
    sizes = [(tmp_path / name).stat().st_size for name in ("a.chkpt", "b.chkpt")]
    assert sizes[0] - sizes[1] >= 2 * 4096


def test_weights_that_overflow_float16_are_not_written(tmp_path):
    with pytest.raises(RunError, match="weight weight is not finite"):
        save(tmp_path / "a.chkpt", to_float16(example(model={"weight": torch.tensor([1e6])})))


def test_a_tutorial_file_is_recognized(tmp_path):
    torch.save({"model": {"w": torch.ones(2)}, "exploration_rate": 1}, tmp_path / "t.chkpt")
    assert is_tutorial(load(tmp_path / "t.chkpt"))


def test_a_tutorial_file_in_the_legacy_torch_format_loads(tmp_path):
    legacy = {"model": {"w": torch.ones(2)}, "exploration_rate": 0.1}
    torch.save(legacy, tmp_path / "t.chkpt", _use_new_zipfile_serialization=False)
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
    ("changes", "message"),
    [
        ({"format": 99}, "format 99, this version reads 2; install the version that wrote it"),
        ({"game": 7}, "no usable 'game'"),
        ({"model": [1]}, "no usable 'model'"),
        ({"state_shape": None}, "no usable 'state_shape'"),
        ({"exploration_rate": float("nan")}, "not finite: exploration_rate"),
    ],
)
def test_invalid_content_is_refused(tmp_path, changes, message):
    torch.save(example(**changes), tmp_path / "a.chkpt")
    with pytest.raises(CheckpointError, match=message):
        load(tmp_path / "a.chkpt")


@pytest.mark.parametrize("content", [[1, 2], {"model": {}}, torch.ones(3)])
def test_an_archive_that_is_not_a_checkpoint_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "a.chkpt")
    with pytest.raises(CheckpointError, match="has no model and exploration_rate"):
        load(tmp_path / "a.chkpt")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"nowhere.chkpt does not exist; give the path"):
        load(tmp_path / "nowhere.chkpt")
    with pytest.raises(CheckpointError, match="is a folder"):
        load(tmp_path)


def test_a_file_truncated_at_any_byte_is_refused(tmp_path):
    save(tmp_path / "a.chkpt", example())
    original = (tmp_path / "a.chkpt").read_bytes()
    for length in {
        0,
        1,
        2,
        100,
        len(original) // 2,
        len(original) - 1,
        *range(0, len(original), 97),
    }:
        (tmp_path / "b.chkpt").write_bytes(original[:length])
        with pytest.raises(CheckpointError, match=r"b\.chkpt"):
            load(tmp_path / "b.chkpt")


def test_a_flipped_bit_in_any_byte_is_refused(tmp_path):
    save(tmp_path / "a.chkpt", example())
    original = (tmp_path / "a.chkpt").read_bytes()
    for offset in range(len(original)):
        damaged = bytearray(original)
        damaged[offset] ^= 1 << random.Random(offset).randrange(8)
        (tmp_path / "b.chkpt").write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"b\.chkpt"):
            load(tmp_path / "b.chkpt")


def test_a_flipped_bit_in_the_weights_of_a_tutorial_file_is_refused(tmp_path):
    """Such a file has no digest, but the archive has CRCs."""
    torch.save({"model": {"w": torch.arange(64.0)}, "exploration_rate": 1.0}, tmp_path / "t.chkpt")
    original = (tmp_path / "t.chkpt").read_bytes()
    data = torch.arange(64.0).numpy().tobytes()
    start = original.index(data)
    for offset in range(start, start + len(data)):
        damaged = bytearray(original)
        damaged[offset] ^= 1
        (tmp_path / "b.chkpt").write_bytes(damaged)
        with pytest.raises(CheckpointError, match="differs from its CRC"):
            load(tmp_path / "b.chkpt")


class Exploit:
    """Creates a file when it is unpickled without restrictions."""

    def __init__(self, canary):
        self.canary = str(canary)

    def __reduce__(self):
        return open, (self.canary, "w")


def malicious_files(folder, canary):
    payload = pickle.dumps(Exploit(canary))
    torch.save({"model": Exploit(canary), "exploration_rate": 0.1}, folder / "zip.chkpt")
    torch.save(
        {"model": Exploit(canary), "exploration_rate": 0.1},
        folder / "legacy.chkpt",
        _use_new_zipfile_serialization=False,
    )
    (folder / "pickle.chkpt").write_bytes(payload)
    with zipfile.ZipFile(folder / "slip.chkpt", "w") as archive:
        archive.writestr("../../data.pkl", payload)
    with zipfile.ZipFile(folder / "bomb.chkpt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10**7))
    with zipfile.ZipFile(folder / "script.chkpt", "w") as archive:
        archive.writestr("archive/constants.pkl", payload)
        archive.writestr("archive/data.pkl", payload)
        archive.writestr("archive/version", "3")
    (folder / "text.chkpt").write_text("weights")
    return sorted(folder.glob("*.chkpt"))


def test_malicious_files_are_refused_and_their_code_does_not_run(tmp_path):
    canary = tmp_path / "canary"
    files = malicious_files(tmp_path, canary)
    assert len(files) == 7
    for file in files:
        with pytest.raises(CheckpointError, match=file.name):
            load(file)
        assert not canary.exists(), f"code in {file.name} was executed"


def test_the_exploit_works_without_protection(tmp_path):
    """Otherwise the test above would prove nothing."""
    pickle.loads(pickle.dumps(Exploit(tmp_path / "canary"))).close()
    assert (tmp_path / "canary").exists()


def test_a_full_disk_leaves_the_old_checkpoint_unchanged(tmp_path):
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
    process = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.chkpt")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert process.stdout.split() == ["refused", str(errno.EFBIG)], process.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 10**5
    assert same(load(tmp_path / "a.chkpt"), example())
    assert [path.name for path in tmp_path.iterdir()] == ["a.chkpt"]


def test_a_write_that_fails_midway_raises_and_leaves_no_file(tmp_path, monkeypatch):
    def full(content, file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint.torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        save(tmp_path / "a.chkpt", example())
    assert list(tmp_path.iterdir()) == []


def test_torch_alone_can_read_the_file(tmp_path):
    save(tmp_path / "a.chkpt", example())
    content = torch.load(io.BytesIO((tmp_path / "a.chkpt").read_bytes()), weights_only=True)
    assert {"model", "exploration_rate"} <= content.keys()
